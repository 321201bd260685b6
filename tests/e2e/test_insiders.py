"""What code inside of the server does to a save while it goes on gets no secret onto the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.harness import JupyterServer, Reply
from tests.server.planted import as_file, call, code, in_source, line, make_secret, notebook

pytestmark = pytest.mark.e2e


_MANAGERS = ("AsyncLargeFileManager", "LargeFileManager")


@pytest.fixture(scope="module", params=_MANAGERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    manager = f"jupyter_server.services.contents.largefilemanager.{request.param}"
    started = JupyterServer(
        tmp_path_factory.mktemp("insider"),
        extensions=("insider",),
        options={"ServerApp.contents_manager_class": manager},
    )
    started.environment["PYTHONPATH"] = str(Path(__file__).parent.parent / "server" / "foreign")
    try:
        yield started.start()
    finally:
        started.stop()


def do(server: JupyterServer, what: str, path: str, text: str, document: Any = None) -> Reply:
    return server.request("POST", f"/insider/{what}", {"path": path, "text": text, "document": document})


_LONG = {"cell_type": "markdown", "id": "long", "metadata": {}, "source": "nothing to see here\n" * 150_000}


@pytest.mark.parametrize("cells", [(), (_LONG,)], ids=["short", "long"])
def test_a_document_that_changes_while_it_is_scanned_is_not_written(
    server: JupyterServer, cells: tuple[dict[str, Any], ...]
) -> None:
    secret, path = make_secret(f"changed meanwhile {len(cells)}"), f"changed-{len(cells)}.ipynb"
    reply = do(server, "changes", path, call(secret), notebook(code("1"), *cells))
    assert reply.status == 422
    assert "changed while it was checked" in reply.message
    assert not (server.root / path).exists()
    assert server.leaks(secret) == []


def test_a_document_that_changes_when_little_of_it_is_new_is_not_written(server: JupyterServer) -> None:
    """The scan is begun and the document copied at once; which comes first is not said."""
    secret, path = make_secret("changed again"), "again.ipynb"
    assert server.save(path, notebook(code("0"), _LONG)).status == 201
    do(server, "changes", path, call(secret), notebook(code("1"), _LONG))
    assert server.leaks(secret) == []


def test_chunks_of_another_type_are_judged_as_a_whole(server: JupyterServer) -> None:
    secret = make_secret("chunks that are no dict")
    assert do(server, "chunks", "chunks.env", line(secret)).status == 422
    assert server.leaks(secret) == []
    assert do(server, "chunks", "clean.txt", "one=1\ntwo\n").status == 200
    assert (server.root / "clean.txt").read_text() == "one=1\ntwo\n"


def test_a_task_that_a_save_started_is_not_let_through_when_the_save_is_over(server: JupyterServer) -> None:
    secret = make_secret("lingering")
    assert do(server, "lingers", "lingers.ipynb", as_file(in_source(secret)), notebook(code("1"))).status == 422
    assert server.leaks(secret) == [server.root / "lingers.ipynb"]


def test_what_is_written_between_the_save_and_its_end_is_not_taken_for_clean(server: JupyterServer) -> None:
    secret = make_secret("overtaking")
    assert do(server, "overtakes", "overtaken.txt", line(secret)).status == 200
    assert server.request("POST", "/api/contents/overtaken.txt/checkpoints").status == 422
    assert server.leaks(secret) == [server.root / "overtaken.txt"]
