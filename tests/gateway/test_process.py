"""The process itself: what it needs, what it refuses without, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from jupyter_qguard.gateway import control
from jupyter_qguard.policy.model import Tier
from tests.gateway.client import ask, get, rest, secure, tunnel
from tests.gateway.owner import PATIENCE, KernelDoors, Owner, entry, wait_for


def test_it_says_that_it_is_ready_and_ends_with_its_owner(start, place, vendor):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    owner = kernel.owner
    assert owner.ready.pid == owner.process.pid
    client, _ = tunnel(kernel, "api.vendor.test", vendor.port)
    assert owner.stop() == 0
    assert rest(client) == b""
    client.close()
    assert owner.said == b""


def test_ctrl_c_is_for_the_owner(start):
    kernel = start()
    os.kill(kernel.owner.process.pid, signal.SIGINT)
    client, answer = tunnel(kernel, "elsewhere.test", 443)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")


AS_SOMEBODY = """
import ctypes, os, resource, sys
from jupyter_qguard.gateway.__main__ import main
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user took it already
resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
os._exit(main(sys.argv[1:]))
"""


def test_nobody_can_look_into_it():
    """As an ordinary user, whose processes belong to root in /proc when they cannot be dumped."""
    mine, theirs = control.make_pair()
    with mine:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", AS_SOMEBODY, "--control", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"HOME": "/nonexistent"},
                stderr=subprocess.DEVNULL,
            )
        control.send_message(mine, control.Welcome(user="ada"))
        control.receive_message(mine, msgspec.json.Decoder(control.ToOwner))
        folder = Path(f"/proc/{process.pid}")
        assert (folder / "environ").stat().st_uid == 0
        limits = (folder / "limits").read_text(encoding="ascii").splitlines()
        assert next(line for line in limits if line.startswith("Max core")).split()[4] == "0"
    assert process.wait(PATIENCE) == 0


def test_a_kernel_starts_only_when_that_is_recorded(start, place):
    kernel = start()
    answer = kernel.owner.ask(
        control.RecordStart, kernel="kernel-1", kernelspec="python3", tier=Tier.NETNS, enforced=("network",)
    )
    assert isinstance(answer, control.Done)
    (record,) = place.records("kernel.started")
    assert record["data"] == {"kernelspec": "python3", "tier": "netns", "enforced": ["network"]}
    answer = kernel.owner.ask(control.RecordFailure, kernel="kernel-2", part="canary", code="leak", detail="udp")
    assert isinstance(answer, control.Done)
    assert place.records("guard.failed")[0]["data"]["part"] == "canary"


def test_without_a_writable_audit_log_nothing_is_let_through_and_it_says_so(start, place, vendor, trust):
    """The state folder is a file, so that not even root can write below it."""
    place.policy(entry("api.vendor.test", vendor.port))
    place.state.write_text("", encoding="utf-8")
    kernel = start()
    assert any(notice.startswith("Nothing is let through: ") for notice in kernel.owner.ready.notices)
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable: qguard: nothing can be recorded in the audit log")
    answer = kernel.owner.ask(control.RecordStart, kernel="k", kernelspec="python3", tier=Tier.NETNS)
    assert isinstance(answer, control.Failed)
    assert vendor.connections == 0
    place.state.unlink()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    with secure(client, trust, "api.vendor.test") as secured:
        assert get(secured, "api.vendor.test") == (200, b"result")
    assert kernel.owner.said.count(b"the audit log cannot be written") == 1


def descriptors_of(owner):
    """How many it holds; 0 where only root may look."""
    return len(list(Path(f"/proc/{owner.process.pid}/fd").iterdir())) if os.geteuid() == 0 else 0


def test_listeners_that_are_none_or_not_as_many_are_refused_and_not_kept(start):
    kernel = start()
    owner = kernel.owner
    door = control.Door(control.DoorKind.PROXY, 3128)
    before = descriptors_of(owner)
    with socket.socket() as unbound, socket.create_server(("127.0.0.1", 0)) as listener:
        for doors, given in (((door,), [unbound]), ((door, door), [listener]), ((door,), []), ((door,), [0])):
            descriptors = [each if isinstance(each, int) else each.fileno() for each in given]
            answer = owner.ask(control.OpenDoors, descriptors, kernel="other", doors=doors)
            assert isinstance(answer, control.Failed)
        answer = owner.ask(control.OpenDoors, [listener.fileno()], kernel="kernel-1", doors=(door,))
        assert "open already" in answer.reason
    after = descriptors_of(owner)
    assert after == before


def test_closing_the_doors_of_a_kernel_ends_its_connections_and_no_others(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    second = KernelDoors(kernel.owner, "kernel-2")
    client, _ = tunnel(kernel, "api.vendor.test", vendor.port)
    other, _ = tunnel(second, "api.vendor.test", vendor.port)
    with client, secure(other, trust, "api.vendor.test") as kept:
        assert isinstance(kernel.owner.ask(control.CloseDoors, kernel="kernel-1"), control.Done)
        assert rest(client) == b""
        assert get(kept, "api.vendor.test") == (200, b"result")
    second.close()


@pytest.mark.parametrize("packet", [b"{}", b"\xff", b'{"type":"close","request":1,"kernel":"k"}'])
def test_an_owner_that_says_something_else_first_has_no_gateway(place, packet):
    class Wrong(Owner):
        def expect(self, kind, **_):
            self.process.wait(30)
            return kind

    original = control.send_message
    try:
        control.send_message = lambda end, _message, _descriptors=(): end.send(packet)
        owner = Wrong(place)
    finally:
        control.send_message = original
    owner._settle()
    assert owner.process.returncode == 4


def test_a_killed_gateway_lets_nothing_through_until_there_is_another(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, _ = tunnel(kernel, "api.vendor.test", vendor.port)
    with secure(client, trust, "api.vendor.test") as secured:
        get(secured, "api.vendor.test", keep=True)
        kernel.owner.kill()
        with pytest.raises((OSError, StopIteration)):
            get(secured, "api.vendor.test")
    reached = vendor.connections
    waiting = kernel.connect()
    waiting.sendall(f"CONNECT api.vendor.test:{vendor.port} HTTP/1.1\r\n\r\n".encode())
    assert vendor.connections == reached
    kernel.owner.start()
    kernel.open()
    with waiting:
        assert waiting.recv(12) == b"HTTP/1.1 200"
    assert ask(kernel, "elsewhere.test")[0] == 5
    wait_for(lambda: vendor.connections == reached + 1)
