"""What a person allows once, asked by the real command of a real gateway: for one kernel, for a while, and never more."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from jupyter_qguard.errors import QGuardError, UsageError
from jupyter_qguard.gateway.spool import AllowRequest, Spool
from jupyter_qguard.policy.allowance import parse_span
from jupyter_qguard.policy.model import Tier
from tests.gateway.client import tunnel
from tests.gateway.owner import PATIENCE, KernelDoors, wait_for

HOST = "data.example.org"


def allow(place, target=HOST, *more, kernel="kernel-1", span="30m"):
    """The command as a person runs it; its exit code and what it says."""
    command = [sys.executable, "-m", "jupyter_qguard.cli", "allow", target, "--kernel", kernel, "--for", span]
    environ = {**os.environ, "HOME": str(place.folder), "XDG_STATE_HOME": str(place.state)}
    done = subprocess.run(
        [*command, "--reason", "calibration data", *more], env=environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def proxy():
    """A proxy of the machine, so that no name has to lead anywhere: answers every tunnel, and keeps it open."""
    listener = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            held.append(client)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for each in held:
        each.close()


def answer_of(doors, host=HOST, port=443):
    client, answer = tunnel(doors, host, port)
    client.close()
    return answer.split(b"\r\n")[0]


def test_one_kernel_reaches_one_host_and_port_and_it_is_recorded(start, place, proxy):
    place.policy(upstream_proxy=proxy)
    doors = start()
    other = KernelDoors(doors.owner, "kernel-2")
    assert answer_of(doors).startswith(b"HTTP/1.1 403")
    code, said = allow(place)
    assert (code, "may reach data.example.org:443 until" in said) == (0, True), said
    assert answer_of(doors) == b"HTTP/1.1 200 Connection established"
    assert answer_of(doors, port=8443).startswith(b"HTTP/1.1 403")
    assert answer_of(doors, host=f"sub.{HOST}").startswith(b"HTTP/1.1 403")
    assert answer_of(other).startswith(b"HTTP/1.1 403"), "it is one kernel's"
    other.close()
    (granted,) = place.records("override.granted")
    assert granted["data"]["reason"] == "calibration data"
    assert (granted["data"]["host"], granted["data"]["port"]) == (HOST, 443)
    decided = [each["data"] for each in place.records() if each["data"]["action"] == "allow"]
    assert [(each["host"], each["reason"][:18]) for each in decided] == [(HOST, "allowed once until")]


def test_it_ends_by_itself_and_what_it_let_through_is_closed(start, place, proxy):
    place.policy(upstream_proxy=proxy)
    doors = start()
    assert allow(place, span="5s")[0] == 0
    client, answer = tunnel(doors, HOST, 443)
    assert answer.startswith(b"HTTP/1.1 200")
    client.settimeout(PATIENCE)
    assert client.recv(1) == b""
    client.close()
    assert answer_of(doors).startswith(b"HTTP/1.1 403")


def test_a_line_of_the_policy_that_comes_later_is_stronger(start, place, proxy):
    place.policy(upstream_proxy=proxy)
    doors = start()
    assert allow(place)[0] == 0
    assert answer_of(doors).startswith(b"HTTP/1.1 200")
    place.policy(upstream_proxy=proxy, deny=[{"host": HOST, "reason": "no"}])
    assert wait_for(lambda: answer_of(doors).startswith(b"HTTP/1.1 403"))


def test_rules_for_addresses_hold(start, place):
    place.names({HOST: ["127.0.0.1"]})
    doors = start()
    assert allow(place)[0] == 0
    assert b"403 Forbidden" in answer_of(doors)
    assert b"not on the allowlist" not in answer_of(doors)


@pytest.mark.parametrize(
    ("policy", "target", "why"),
    [
        ({"deny": [{"host": HOST, "reason": "no"}]}, HOST, "the policy speaks of"),
        ({"mode": "observe"}, HOST, "is let through already"),
        ({}, "203.0.113.7", "an address is never"),
        ({}, "quantum.cloud.ibm.com", "is a host of ibm_quantum"),
    ],
)
def test_what_cannot_be_allowed_once(start, place, policy, target, why):
    place.policy(**policy)
    start()
    code, said = allow(place, target)
    assert (code, why in said) == (1, True), said
    assert place.records("override.granted") == []


def test_nothing_is_allowed_while_a_kernel_runs_that_could_have_asked(start, place):
    doors = start()
    KernelDoors(doors.owner, "kernel-2", tier=Tier.COOPERATIVE, password="x").close()
    code, said = allow(place)
    assert (code, "not in tier netns" in said) == (1, True), said


def request(**more):
    return AllowRequest(kernel="kernel-1", target=HOST, seconds=5, reason="r", asked=time.time(), **more)


def test_requests_of_a_folder_that_others_use_are_not_read(tmp_path):
    folder = Spool(tmp_path / "allow")
    name = folder.ask(request())
    assert [each for each, _ in folder.requests()] == [name]
    (tmp_path / "allow").chmod(0o777)
    with pytest.raises(QGuardError):
        folder.requests()
    with pytest.raises(QGuardError):
        folder.ask(request())


def test_what_cannot_be_read_or_is_old_is_left(tmp_path):
    folder = Spool(tmp_path / "allow")
    folder.prepare()
    for name, text in {"0" * 16: "{", "1" * 16: '{"kernel": "kernel-1"}', "../x": "{}"}.items():
        file = tmp_path / "allow" / f"{name.replace('/', '_')}.request"
        file.write_text(text)
        file.chmod(0o600)
    old = AllowRequest(kernel="kernel-1", target=HOST, seconds=5, reason="r", asked=time.time() - 3600)
    folder.ask(old)
    assert folder.requests() == []


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400)])
def test_how_long(text, seconds):
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "0s", "-1h", "25h", "1d", "1h30m", "99999999h", "1 h"])
def test_how_long_is_bounded_and_never_guessed(text):
    with pytest.raises(UsageError):
        parse_span(text)
