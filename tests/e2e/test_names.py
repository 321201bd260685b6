"""A secret in the name of a file or folder: nothing gets that name, and nobody quotes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.server.harness import JupyterServer, Reply
from tests.server.listener import EventListener
from tests.server.planted import code, make_secret, notebook

pytestmark = pytest.mark.e2e
_MANAGERS = ("AsyncLargeFileManager", "LargeFileManager")


@pytest.fixture(scope="module", params=_MANAGERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    manager = f"jupyter_server.services.contents.largefilemanager.{request.param}"
    options = {"ServerApp.contents_manager_class": manager, "ServerApp.log_level": "DEBUG"}
    started = JupyterServer(tmp_path_factory.mktemp("names"), options=options)
    (started.root / "old.txt").write_text("old\n")
    (started.root / "folder").mkdir()
    try:
        yield started.start()
    finally:
        started.stop()


def name(seed: str, kind: str = "shape") -> str:
    """A name with a secret in it, in one of the ways in which one gets there."""
    secret = make_secret(f"name {seed}")
    return f"ghp_{secret[:36]}" if kind == "shape" else f"QISKIT_IBM_TOKEN={secret}"


def _put(server: JupyterServer, bad: str) -> Reply:
    return server.save(f"{bad}.ipynb", notebook(code("1")))


def _text(server: JupyterServer, bad: str) -> Reply:
    return server.save(f"folder/{bad}.txt", "words\n")


def _folder(server: JupyterServer, bad: str) -> Reply:
    return server.request("PUT", f"/api/contents/{bad}", {"type": "directory"})


def _chunk(server: JupyterServer, bad: str) -> Reply:
    return server.save(bad, "words\n", type="file", format="text", chunk=1)


def _rename(server: JupyterServer, bad: str) -> Reply:
    return server.request("PATCH", "/api/contents/old.txt", {"path": f"{bad}.txt"})


def _rename_folder(server: JupyterServer, bad: str) -> Reply:
    return server.request("PATCH", "/api/contents/folder", {"path": bad})


def _unreadable(server: JupyterServer, bad: str) -> Reply:
    return server.save(f"{bad}.ipynb", {"cells": "none"})


def _ending(server: JupyterServer, bad: str) -> Reply:
    return server.request("POST", "/api/contents/folder", {"type": "file", "ext": f".{bad}"})


@pytest.mark.parametrize("kind", ["shape", "named"])
@pytest.mark.parametrize("way", [_put, _text, _folder, _chunk, _rename, _rename_folder, _unreadable, _ending])
def test_nothing_gets_a_name_that_holds_a_secret(server: JupyterServer, way: object, kind: str) -> None:
    assert callable(way)
    bad = name(f"{way.__name__} {kind}", kind)
    with EventListener(server) as listener:
        reply = way(server, bad)
        seen = json.dumps(listener.wait_for(kind="unreadable"))
    assert reply.status == 422
    assert "Choose another name" in reply.message
    audit = "".join(file.read_text(errors="replace") for file in (server.home / "state").rglob("*") if file.is_file())
    secret = bad.rsplit("=", 1)[-1]
    for told in (reply.body.decode(), server.log, audit, seen):
        assert secret not in told
    assert [path for path in server.root.rglob("*") if secret in path.name] == []
    assert (server.root / "old.txt").exists()
    assert (server.root / "folder").is_dir()


def test_a_folder_is_not_copied_with_a_bad_name_in_it(server: JupyterServer) -> None:
    bad = name("copied")
    (server.root / "source").mkdir(exist_ok=True)
    (server.root / "source" / bad).write_text("words\n")
    reply = server.request("POST", "/api/contents/folder", {"copy_from": "source"})
    assert reply.status == 422
    assert bad not in reply.body.decode() + server.log
    assert list((server.root / "folder").rglob(bad)) == []


def test_a_bad_name_is_renamed_to_a_good_one(server: JupyterServer) -> None:
    bad = name("mended")
    (server.root / bad).write_text("words\n")
    assert server.request("PATCH", f"/api/contents/{bad}", {"path": "mended.txt"}).status == 200
    assert (server.root / "mended.txt").read_text() == "words\n"
    assert bad not in server.log


def test_a_name_that_is_only_asked_for_is_not_logged(server: JupyterServer) -> None:
    bad = name("asked for", "named")
    assert server.request("GET", f"/api/contents/{quote(bad, safe='')}").status == 404
    paths = [
        f"/api/contents/{bad}.txt/checkpoints",
        f"/nbconvert/html/{bad}.ipynb",
        f"/files/{bad}.txt",
        f"/view/{bad}.html",
    ]
    for path in paths:
        assert server.request("GET", path).status in (200, 404)
    assert server.request("POST", f"/api/contents/{bad}.txt/checkpoints/checkpoint").status == 422
    assert server.request("POST", f"/api/contents/{bad}.txt/checkpoints").status in (404, 422)
    assert bad.rsplit("=", 1)[-1] not in server.log


def test_a_broken_request_is_not_logged(server: JupyterServer) -> None:
    secret = make_secret("broken request")
    body = f'{{"type": "file", "content": "QISKIT_IBM_TOKEN={secret}'.encode()
    assert server.request("PUT", "/api/contents/broken.txt", body).status == 400
    assert "Bad JSON" in server.log
    assert secret not in server.log


@pytest.mark.parametrize("good", ["2024-11-26_experiment_ibm_brisbane_v12345.txt", "cs4v9a8b7c6d5e4f3.txt", "a=b.txt"])
def test_ordinary_names_are_accepted(server: JupyterServer, good: str) -> None:
    assert server.save(good, "words\n").status in (200, 201)
