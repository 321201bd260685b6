"""The scenes of the kernel guard: what a notebook's kernel reaches, and what it does not."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from examples.demo.company import BRAKET, GOOGLE, OTHER, PROCESSORS, company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.demo.company import Company
    from examples.demo.stage import Stage

_NAME = "guarded.ipynb"
_POLICY = """\
apiVersion: qguard/v1
egress:
  mode: enforce
  minimum_tier: netns
  upstream_proxy: http://127.0.0.1:{proxy}
  ca_bundle: {authority}
access:
{access}"""
_ENTRY = """\
  - {{name: {vendor}/demo, vendor: {vendor}, regions: [us-east-1], secret: "local://{vendor}", environment: dev,
     owner: demo, purpose: demonstration, expires: 2099-12-31}}
"""
_CELLS = {
    "IBM Quantum, by qiskit-ibm-runtime": """\
from qiskit_ibm_runtime import QiskitRuntimeService
service = QiskitRuntimeService(channel="ibm_quantum_platform", token="not-a-key")
print("seconds left:", service.usage()["usage_remaining_seconds"])""",
    "Amazon Braket, by boto3": """\
import boto3
braket = boto3.client("braket", "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
print("devices:", [device["deviceName"] for device in braket.search_devices(filters=[])["devices"]])""",
    "Google Quantum, by gRPC": f"""\
import grpc
channel = grpc.secure_channel("{GOOGLE}", grpc.ssl_channel_credentials())
print("processors:", channel.unary_unary("{PROCESSORS}")(b"", timeout=20))""",
    "another host": f"""\
import requests
requests.get("https://{OTHER}/upload?data=anything", timeout=20)""",
    "an address, past the proxy": """\
import socket
socket.create_connection(("127.0.0.1", {port}), 5).sendall(b"data")""",
    "the metadata service of a cloud": """\
requests.get("http://169.254.169.254/latest/meta-data/", timeout=20).raise_for_status()""",
}
_ALLOWED = {
    "IBM Quantum, by qiskit-ibm-runtime": "seconds left: 583",
    "Amazon Braket, by boto3": "SV1",
    "Google Quantum, by gRPC": "processors: b''",
}


def kernels(stage: Stage) -> None:
    """One notebook, run by `jupyter execute` without and with the guard."""
    stage.scene(
        "A guarded kernel",
        "A company network on loopback: a proxy, and stand-ins for three vendors under their real names. The notebook\n"
        "uses the vendors' SDKs unchanged, then tries another host, an address, and a cloud's metadata service.",
    )
    with company(stage.place.folder / "company") as network, _machine_service() as (port, reached):
        cells = {title: source.replace("{port}", str(port)) for title, source in _CELLS.items()}
        _policy(stage, network)
        _run(stage, cells, guarded=False)
        stage.check(
            "A stock kernel reaches a service of this machine", f"{len(reached)} connection", held=bool(reached)
        )
        reached.clear()
        network.asked.clear()
        outputs = _run(stage, cells, guarded=True)
        for title, expected in _ALLOWED.items():
            said = outputs.get(title, "no output")
            stage.check(f"Allowed: {title}", said.strip().splitlines()[-1], held=expected in said)
        refused = outputs.get("another host", "")
        reason = refused[max(0, refused.find("qguard:")) :].split("'")[0].strip()
        stage.quote("what the person reads", reason)
        held = "is not on the allowlist" in refused and OTHER not in network.asked
        stage.check("Refused with the reason: another host", f"{OTHER} never left the machine", held=held)
        said = outputs.get("an address, past the proxy", "")
        stage.check("Refused: an address, past the proxy", said or "no error", held=not reached and "Error" in said)
        said = outputs.get("the metadata service of a cloud", "")
        stage.check("Refused: the metadata service", said or "no error", held="403" in said)
    _trail(stage)
    _doctor(stage)


def _doctor(stage: Stage) -> None:
    variables = {"QGUARD_POLICY": str(stage.place.folder / "kernels.yaml")}
    code, text = stage.run("qguard", "doctor", variables=variables)
    stage.quote("qguard doctor", text)
    held = code == 0 and text.startswith("Tier netns") and "Not stopped:" in text
    stage.check("qguard doctor proves the tier, and says what is not stopped", text.splitlines()[0], held=held)


def _trail(stage: Stage) -> None:
    code, text = stage.run("qguard", "audit", "show", "--format", "json", "--last", "500")
    records = [json.loads(line) for line in text.splitlines()]
    data = {
        kind: [each["data"] for each in records if each["type"] == kind]
        for kind in ("kernel.started", "egress.decided")
    }
    tiers = {each["tier"] for each in data["kernel.started"]}
    held = code == 0 and tiers == {"netns"}
    stage.check("Every kernel start stands in the audit log, with its tier", ", ".join(tiers) or text, held=held)
    decided = {(each["action"], each["host"]) for each in data["egress.decided"]}
    held = {("allow", BRAKET), ("allow", GOOGLE), ("refuse", OTHER)} <= decided
    stage.check("So does what was allowed and what was refused", f"{len(decided)} hosts", held=held)


def _policy(stage: Stage, network: Company) -> None:
    access = "".join(_ENTRY.format(vendor=vendor) for vendor in ("ibm_quantum", "amazon_braket", "google_quantum"))
    text = _POLICY.format(proxy=network.proxy, authority=network.authority, access=access)
    (stage.place.folder / "kernels.yaml").write_text(text)


def _run(stage: Stage, cells: dict[str, str], *, guarded: bool) -> dict[str, str]:
    """Execute the notebook; what each cell printed, or its error."""
    chosen = cells if guarded else {name: cells[name] for name in ("an address, past the proxy",)}
    document = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(chosen.values())
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = stage.place.root / _NAME
    path.write_text(json.dumps(document))
    variables = {"QGUARD_POLICY": str(stage.place.folder / "kernels.yaml")}
    if guarded:
        variables["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "qguard-provisioner"
    _, said = stage.run("jupyter-execute", "--inplace", "--allow-errors", _NAME, variables=variables)
    done = json.loads(path.read_text())
    texts = [_said(cell) for cell in done["cells"]]
    if not any(texts):
        stage.quote("jupyter execute", said)
    return dict(zip(chosen, texts, strict=True))


def _said(cell: dict[str, Any]) -> str:
    parts = [
        "".join(each.get("text", "")) or f"{each.get('ename', '')}: {each.get('evalue', '')}"
        for each in cell["outputs"]
    ]
    return "\n".join(part for part in parts if part != ": ")


@contextmanager
def _machine_service() -> Iterator[tuple[int, list[bytes]]]:
    """A service that listens on this machine only, as databases and other notebooks' servers do."""
    reached: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                reached.append(connection.recv(100))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1], reached
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
