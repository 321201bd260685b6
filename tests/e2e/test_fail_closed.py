"""Whatever fails inside of the guard, the write is refused, the file stays, and the failure is on record."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_save_overrides import records
from tests.e2e.write_paths import REDACTED, REFUSED, Way
from tests.server.harness import JupyterServer, Reply
from tests.server.planted import code, in_output, in_source, line, make_secret, notebook

pytestmark = pytest.mark.e2e

FAULTS = Path(__file__).parent.parent / "server" / "faults"
PARTS = ("scanner", "redactor", "policy", "decision", "audit")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("faults"), options={"QGuardApp.scan_timeout": 5.0})
    server.environment["PYTHONPATH"] = str(FAULTS)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def server(started: JupyterServer) -> Iterator[JupyterServer]:
    """The server, without a fault when a test is over."""
    yield started
    (started.temp / "fault").unlink(missing_ok=True)


def plant(server: JupyterServer, part: str) -> None:
    (server.temp / "hanging").unlink(missing_ok=True)
    (server.temp / "fault").write_text(part)


def heal(server: JupyterServer) -> None:
    (server.temp / "fault").unlink()


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


class Saving:
    """A save that goes on in a thread."""

    def __init__(self, server: JupyterServer, path: str, content: Any) -> None:
        self._reply: Reply | None = None

        def save() -> None:
            self._reply = server.save(path, content)

        self._thread = threading.Thread(target=save)
        self._thread.start()

    @property
    def reply(self) -> Reply:
        """What the server answered; waits for it."""
        self._thread.join(60)
        assert self._reply is not None
        return self._reply


def kill_worker(server: JupyterServer) -> int:
    """Kill the worker once it hangs. Returns its id."""
    wait_until((server.temp / "hanging").exists)
    (pid,) = server.status()["workers"]["pids"]
    os.kill(pid, signal.SIGKILL)
    return int(pid)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_fails_refuses_the_save(server: JupyterServer, part: str) -> None:
    path, secret = f"{part}.ipynb", make_secret(part)
    assert server.save(path, notebook(code("1"))).status == 201
    before = (server.root / path).read_bytes()
    plant(server, part)
    refused = server.save(path, in_output(secret))
    assert refused.status == 503, refused.body
    assert "could not be checked" in refused.message
    assert "Nothing was written and nothing is lost" in refused.message
    assert (server.root / path).read_bytes() == before
    assert server.leaks(secret) == []
    assert secret not in refused.message + server.log
    heal(server)
    assert server.save(path, in_output(secret)).status == 200
    assert server.leaks(secret) == []


@pytest.mark.parametrize("way", [*REFUSED.values(), *REDACTED.values()], ids=[*REFUSED, *REDACTED])
def test_no_way_to_write_is_open_while_the_scanner_fails(server: JupyterServer, way: Way) -> None:
    name, secret = f"failing-{way.__name__}", make_secret(f"failing {way.__name__}")
    (server.root / ".ipynb_checkpoints").mkdir(exist_ok=True)
    (server.root / ".ipynb_checkpoints" / f"{name}-checkpoint.ipynb").touch()
    plant(server, "scanner")
    tried = way(server, name, secret)
    assert tried.last in (400, 422, 503), tried.replies[-1].body
    assert set(server.leaks(secret)) <= set(tried.planted)


def test_a_worker_killed_in_the_middle_of_a_save_refuses_it_and_is_replaced(server: JupyterServer) -> None:
    secret = make_secret("killed")
    plant(server, "hang")
    saving = Saving(server, "killed.ipynb", in_source(secret))
    pid = kill_worker(server)
    assert saving.reply.status == 503
    assert not (server.root / "killed.ipynb").exists()
    heal(server)
    assert server.save("killed.ipynb", in_source(secret)).status == 422
    assert server.save("killed.ipynb", notebook(code("1"))).status == 201
    assert server.leaks(secret) == []
    assert server.status()["workers"]["pids"] != [pid]


def test_a_scan_that_takes_too_long_refuses_the_save(server: JupyterServer) -> None:
    secret = make_secret("late")
    plant(server, "hang")
    assert server.save("late.env", line(secret)).status == 503
    heal(server)
    assert server.save("late.env", line(secret)).status == 422
    assert server.leaks(secret) == []


def test_the_server_answers_others_while_a_scan_hangs(server: JupyterServer) -> None:
    plant(server, "hang")
    saving = Saving(server, "hangs.ipynb", notebook(code("hangs")))
    wait_until((server.temp / "hanging").exists)
    assert server.request("GET", "/api/contents/").status == 200
    heal(server)
    assert saving.reply.status == 201


def test_every_failure_is_on_record_without_what_it_failed_on(server: JupyterServer) -> None:
    secret = make_secret("recorded")
    for part in ("scanner", "redactor", "policy", "decision"):
        plant(server, part)
        assert server.save(f"recorded-{part}.ipynb", in_output(secret)).status == 503
    plant(server, "hang")
    saving = Saving(server, "recorded-hang.ipynb", in_output(secret))
    kill_worker(server)
    assert saving.reply.status == 503
    server.stop()  # refusals are written within ten seconds, or now
    failed = [record for record in records(server) if record["type"].endswith("guard.failed")]
    codes = {record["notebook"]: record["data"]["code"] for record in failed}
    wanted = {f"recorded-{part}.ipynb": "RuntimeError" for part in ("redactor", "policy", "decision")}
    wanted |= {"recorded-scanner.ipynb": "guard_failed", "recorded-hang.ipynb": "worker_died"}
    assert wanted.items() <= codes.items()
    assert server.leaks(secret) == []
    heal(server)
    server.start()


HOOK = """
from pathlib import Path

def fails(**_):
    raise RuntimeError("a save hook failed")

def adds(model, **_):
    model["content"]["metadata"]["note"] = Path(__file__).with_name("note").read_text()
"""


@pytest.fixture(scope="module", params=[True, False], ids=["guarded", "stock"])
def hooked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A server with a save hook of its operator, which fails as ours would if it were one."""
    folder = tmp_path_factory.mktemp("hooked")
    options = {"ContentsManager.pre_save_hook": "operators_hook.fails"}
    server = JupyterServer(folder / "server", guarded=request.param, options=options)
    server.environment["PYTHONPATH"] = str(folder)
    (folder / "operators_hook.py").write_text(HOOK)
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_failing_hook_lets_a_save_through_and_the_guard_does_not(hooked: JupyterServer) -> None:
    secret = make_secret("hook")
    reply = hooked.save("n.ipynb", in_source(secret))
    assert reply.status == (422 if hooked.guarded else 201)
    assert bool(hooked.leaks(secret)) is not hooked.guarded
    assert "a save hook failed" in hooked.log or hooked.guarded
    assert hooked.save("clean.ipynb", notebook(code("1"))).status == 201


def test_what_a_hook_adds_is_judged_too(tmp_path: Path) -> None:
    secret = make_secret("added by a hook")
    (tmp_path / "operators_hook.py").write_text(HOOK)
    (tmp_path / "note").write_text(line(secret))
    options = {"ContentsManager.pre_save_hook": "operators_hook.adds"}
    server = JupyterServer(tmp_path / "server", options=options)
    server.environment["PYTHONPATH"] = str(tmp_path)
    try:
        assert server.start().save("n.ipynb", notebook(code("1"))).status == 201
        assert "[redacted:" in (server.root / "n.ipynb").read_text()
        assert server.leaks(secret) == []
    finally:
        server.stop()
