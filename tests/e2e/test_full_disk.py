"""A disk that takes no more: overrides are refused, saves fail as they do in any Jupyter, and no file is damaged.

A limit on the size of files stands for the full disk: from outside of the server, for any user, and root too.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.test_save_overrides import OVERRIDES, records, refused
from tests.server.harness import JupyterServer
from tests.server.planted import code, in_output, in_source, line, make_secret, notebook

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    started = JupyterServer(tmp_path_factory.mktemp("full"))
    try:
        yield started.start()
    finally:
        started.stop()


@contextmanager
def full_disk(server: JupyterServer) -> Iterator[None]:
    """While inside, no file of the server can grow by a byte."""
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))


def grants(server: JupyterServer) -> list[str]:
    return [record["data"]["reason"] for record in records(server) if record["type"].endswith("override.granted")]


def test_without_room_for_the_record_an_override_is_refused(server: JupyterServer) -> None:
    secret = make_secret("full")
    assert server.save("n.ipynb", notebook(code("1"))).status == 201
    before = (server.root / "n.ipynb").read_bytes()
    identifier = refused(server, "n.ipynb", in_source(secret))
    with full_disk(server):
        answer = server.request("POST", OVERRIDES, {"id": identifier, "reason": "no room"})
        assert answer.status == 503
        assert "still in the editor" in answer.message
        assert server.save("n.ipynb", in_source(secret)).status == 422
        assert server.status()["audit"] != "ok"
    assert (server.root / "n.ipynb").read_bytes() == before
    assert server.leaks(secret) == []
    assert server.save("n.ipynb", in_source(secret)).status == 422  # what was refused is not granted later
    assert "no room" not in grants(server)
    assert server.request("POST", OVERRIDES, {"id": identifier, "reason": "room again"}).status == 201
    assert server.save("n.ipynb", in_source(secret)).status == 200
    assert grants(server) == ["room again"]


@pytest.mark.parametrize("name", ["n.ipynb", "n.txt"])
def test_a_save_without_room_fails_and_leaves_the_old_file(server: JupyterServer, name: str) -> None:
    secret = make_secret("no room")
    path = f"kept-{name}"
    old, new = (notebook(code("1")), notebook(code("2"))) if name == "n.ipynb" else ("old\n", "new\n")
    assert server.save(path, old).status == 201
    before = (server.root / path).read_bytes()
    with full_disk(server):
        assert server.save(path, new).status == 500
        assert server.save(path, in_output(secret) if name == "n.ipynb" else line(secret)).status in (422, 500)
    assert (server.root / path).read_bytes() == before
    assert server.save(path, new).status == 200
    assert server.leaks(secret) == []


def test_an_upload_without_room_is_refused_and_can_be_begun_again(server: JupyterServer) -> None:
    def chunk(text: str, number: int) -> int:
        return server.save("up.txt", text, chunk=number).status

    with full_disk(server):
        assert chunk("one\n", 1) in (201, 503)  # or held in memory until the file is written
        assert chunk("two\n", -1) >= 400
    assert not (server.root / "up.txt").exists()
    assert (chunk("one\n", 1), chunk("two\n", -1)) == (201, 201)
    assert (server.root / "up.txt").read_text() == "one\ntwo\n"
