"""No record, no override: and a save that needs none goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_save_overrides import OVERRIDES, refused
from tests.server.harness import JupyterServer
from tests.server.planted import code, in_output, in_source, make_secret, notebook

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """A server whose audit log lies on a device that is full."""
    started = JupyterServer(tmp_path / "server")
    folder = started.home / "state" / "jupyter-qguard" / "audit"
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be: nothing can be written below it")
    try:
        yield started.start()
    finally:
        started.stop()


def test_without_a_record_an_override_is_refused_and_saves_go_on(server: JupyterServer) -> None:
    secret = make_secret("unrecorded")
    assert server.save("clean.ipynb", notebook(code("1"))).status == 201
    identifier = refused(server, "n.ipynb", in_source(secret))
    answer = server.request("POST", OVERRIDES, {"id": identifier, "reason": "r"})
    assert answer.status == 503
    assert "could not be recorded" in answer.message
    assert server.save("n.ipynb", in_source(secret)).status == 422
    assert server.leaks(secret) == []
    assert server.save("o.ipynb", in_output(secret)).status == 201
    assert server.leaks(secret) == []
    assert server.status()["audit"] != "ok"


def test_the_log_is_taken_up_again_when_it_can_be_written(server: JupyterServer) -> None:
    identifier = refused(server, "n.ipynb", in_source(make_secret("later")))
    (server.home / "state" / "jupyter-qguard" / "audit").unlink()
    assert server.request("POST", OVERRIDES, {"id": identifier, "reason": "r"}).status == 201
    assert server.status()["audit"] == "ok"
