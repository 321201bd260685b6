"""The bridge alone, without a sandbox around it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jupyter_qguard.sandbox as package

PROGRAM = Path(package.__file__).parent / "bridge.py"
PATIENCE = 20


@pytest.fixture
def kernel():
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE)
        yield made


@pytest.fixture
def program(tmp_path, kernel):
    (tmp_path / "k-1").write_text("left by the kernel before")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        pairs = [f"1:{kernel.getsockname()[1]}", f"2:{nobody.getsockname()[1]}"]
    with subprocess.Popen([sys.executable, "-I", "-S", str(PROGRAM), str(tmp_path / "k"), *pairs]) as running:
        yield running
        running.kill()


@pytest.fixture
def bridge(tmp_path, program):
    assert program.poll() is None
    return tmp_path / "k"


def connect(path):
    end = time.monotonic() + PATIENCE
    while True:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(PATIENCE)
        try:
            made.connect(str(path))
        except OSError:
            made.close()
            assert time.monotonic() < end
            time.sleep(0.01)
        else:
            return made


def test_bytes_go_both_ways_for_several_clients(bridge, kernel):
    with contextlib.ExitStack() as stack:
        ends = []
        for number in (1, 2, 3):
            client = stack.enter_context(connect(f"{bridge}-1"))
            ends.append((number, client, stack.enter_context(kernel.accept()[0])))
        for number, client, served in ends:
            client.sendall(bytes([number]) * 10)
            served.sendall(bytes([number + 100]) * 10)
        for number, client, served in ends:
            assert served.recv(100) == bytes([number]) * 10
            assert client.recv(100) == bytes([number + 100]) * 10


@pytest.mark.parametrize("closes", ["client", "kernel"])
def test_the_end_of_one_is_the_end_of_the_other(bridge, kernel, closes):
    client = connect(f"{bridge}-1")
    served = kernel.accept()[0]
    with client, served:
        served.settimeout(PATIENCE)
        first, second = (client, served) if closes == "client" else (served, client)
        first.shutdown(socket.SHUT_WR)
        assert second.recv(1) == b""
        assert first.recv(1) == b""


def test_where_no_kernel_listens_yet_the_client_is_turned_away_and_may_come_again(bridge):
    for _ in range(3):
        with connect(f"{bridge}-2") as client:
            assert client.recv(1) == b""


def test_it_holds_no_capability_and_nobody_reads_its_memory(bridge, program):
    with connect(f"{bridge}-1"):
        own = Path(f"/proc/{program.pid}")
        status = dict(line.split(":\t", 1) for line in (own / "status").read_text().splitlines() if ":\t" in line)
        assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff")} == {0}
        assert own.stat().st_uid == 0, "what can be dumped is its user's"
