"""The owner's side of the gateway, against a stand-in process that speaks the same messages."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from jupyter_qguard.gateway.control import Door, DoorKind, OpenDoors, RecordStart, Welcome
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox import ground as module
from jupyter_qguard.sandbox.errors import GatewayError
from jupyter_qguard.sandbox.owner import Owner

STAND_IN = Path(__file__).parent / "stand_in.py"
DOORS = (Door(DoorKind.PROXY, 3128),)
PATIENCE = 20


@pytest.fixture
def file(tmp_path):
    return tmp_path / "told"


@pytest.fixture
def owner(file):
    made = Owner(Welcome(user="ada"), [sys.executable, str(STAND_IN), str(file)])
    made.start()
    yield made
    made.close()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def opened(kernel, notebook):
    return OpenDoors(request=0, kernel=kernel, doors=DOORS, notebook=notebook)


def told(file):
    return [json.loads(line)[0] for line in file.read_text().splitlines()]


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_gateway_that_was_killed_is_there_again_with_all_it_needs(owner, file, listener):
    owner.open_doors(opened("k", "learned.example.org"), [listener.fileno()]).result(PATIENCE)
    wait_for(lambda: owner._kept["k"].names == ["learned.example.org"])
    before, started = owner.pid, time.monotonic()
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: len([m for m in told(file) if m["type"] == "open"]) == 2)
    assert time.monotonic() - started < PATIENCE
    assert owner.pid != before
    last = told(file)[-3:]
    assert [message["type"] for message in last] == ["welcome", "recall", "open"]
    assert last[1]["names"] == ["learned.example.org"]
    assert owner.record_failure("k", "part", "code", "").result(PATIENCE) is None


def test_what_was_asked_of_a_gateway_that_dies_fails(owner, listener):
    owner.open_doors(opened("die", ""), [listener.fileno()]).result(PATIENCE)
    owner.close_doors("die")
    wait_for(lambda: owner.record_failure("x", "p", "c", "").exception(PATIENCE) is None)


def test_a_refusal_says_its_reason(owner):
    asked = RecordStart(request=0, kernel="refuse", kernelspec="python3", tier=Tier.NETNS)
    with pytest.raises(GatewayError, match="told to refuse"):
        owner.record_start(asked).result(PATIENCE)


def test_a_gateway_that_crashes_again_and_again_is_given_up_and_the_doors_are_closed(owner, listener, caplog):
    port = listener.getsockname()[1]
    owner.open_doors(opened("k", ""), [listener.fileno()]).result(PATIENCE)
    listener.close()
    owner._command[1] = "/nowhere.py"
    os.kill(owner.pid, signal.SIGKILL)
    wait_for(lambda: owner._closed)
    assert "crashed too often" in caplog.text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with pytest.raises(GatewayError, match="for good"):
        owner.start()


def test_closing_ends_the_gateway_and_the_doors(owner, listener):
    port, pid = listener.getsockname()[1], owner.pid
    owner.open_doors(opened("k", ""), [listener.fileno()]).result(PATIENCE)
    listener.close()
    owner.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_neither_uses_nor_keeps_the_gateway(owner, listener):
    owner.open_doors(opened("k", ""), [listener.fileno()]).result(PATIENCE)
    numbers = [owner._end.fileno(), *owner._kept["k"].listeners]
    module._owners.append(owner)
    child = os.fork()
    if child == 0:
        open_still = [number for number in numbers if Path(f"/proc/self/fd/{number}").exists()]
        os._exit(len(open_still) + (10 if module._owners else 0))
    module._owners.remove(owner)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert owner.record_failure("k", "p", "c", "").result(PATIENCE) is None


def test_nothing_is_imported_from_the_folder_that_the_owner_works_in(file, tmp_path, monkeypatch):
    (tmp_path / "msgspec.py").write_text("raise SystemExit('imported from the workspace')")
    monkeypatch.chdir(tmp_path)
    code = f"import runpy, sys; sys.argv = ['x', {str(file)!r}, *sys.argv[1:]]; runpy.run_path({str(STAND_IN)!r})"
    made = Owner(Welcome(user="ada"), [sys.executable, "-c", code])
    made.start()
    made.close()
    assert told(file)[0]["user"] == "ada"
