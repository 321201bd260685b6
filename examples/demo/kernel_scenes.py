"""The scenes of the kernel guard: what a notebook's kernel reaches, and what it does not."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from examples.demo.company import BRAKET, GOOGLE, OTHER, PROCESSORS
from examples.demo.executed import execute, records, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.demo.company import Company
    from examples.demo.stage import Stage

_NAME = "guarded.ipynb"
_CELLS = {
    "IBM Quantum, by qiskit-ibm-runtime": """\
%qguard use ibm/demo
from qiskit_ibm_runtime import QiskitRuntimeService
service = QiskitRuntimeService()
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


def kernels(stage: Stage, network: Company) -> None:
    """One notebook without and with the guard."""
    stage.scene(
        "A guarded kernel",
        "A company network on loopback: a proxy, and stand-ins for three vendors under their real names. The notebook\n"
        "uses the vendors' SDKs unchanged, then tries another host, an address, and a cloud's metadata service.",
    )
    with _machine_service() as (port, reached):
        cells = {title: source.replace("{port}", str(port)) for title, source in _CELLS.items()}
        past = "an address, past the proxy"
        execute(stage, _NAME, {past: cells[past]}, guarded=False)
        stage.check(
            "A stock kernel reaches a service of this machine", f"{len(reached)} connection", held=bool(reached)
        )
        reached.clear()
        network.asked.clear()
        outputs = execute(stage, _NAME, cells, guarded=True)
        for title, expected in _ALLOWED.items():
            said = outputs.get(title) or "no output"
            stage.check(f"Allowed: {title}", said.strip().splitlines()[-1], held=expected in said)
        refused = outputs.get("another host", "")
        reason = refused[max(0, refused.find("qguard:")) :].split("'")[0].strip()
        stage.quote("what the person reads", reason)
        held = "is not on the allowlist" in refused and OTHER not in network.asked
        stage.check("Refused with the reason: another host", f"{OTHER} never left the machine", held=held)
        said = outputs.get(past, "")
        stage.check(f"Refused: {past}", said or "no error", held=not reached and "Error" in said)
        said = outputs.get("the metadata service of a cloud", "")
        stage.check("Refused: the metadata service", said or "no error", held="403" in said)
    _trail(stage)
    _doctor(stage)


def _doctor(stage: Stage) -> None:
    code, text = stage.run("qguard", "doctor", variables=variables(stage))
    stage.quote("qguard doctor", text)
    held = code == 0 and text.startswith("Tier netns") and "Not stopped:" in text
    stage.check("qguard doctor proves the tier, and says what is not stopped", text.splitlines()[0], held=held)


def _trail(stage: Stage) -> None:
    found = records(stage)
    tiers = {each["data"]["tier"] for each in found if each["type"] == "kernel.started"}
    stage.check(
        "Every kernel start stands in the audit log, with its tier", ", ".join(tiers) or "none", held=tiers == {"netns"}
    )
    decided = {(each["data"]["action"], each["data"]["host"]) for each in found if each["type"] == "egress.decided"}
    held = {("allow", BRAKET), ("allow", GOOGLE), ("refuse", OTHER)} <= decided
    stage.check("So does what was allowed and what was refused", f"{len(decided)} hosts", held=held)


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
