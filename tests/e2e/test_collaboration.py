"""Documents that several people have open: jupyter-collaboration saves them by itself, and reports success whatever
happens. So a refusal must arrive another way, and the text must stay where it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_fail_closed import wait_until
from tests.e2e.test_save_overrides import OVERRIDES
from tests.server.collaborator import Collaborator
from tests.server.harness import JupyterServer, encodings
from tests.server.listener import EventListener
from tests.server.planted import as_file, call, code, line, make_secret, notebook, stream

pytestmark = pytest.mark.e2e
EXTENSIONS = ("jupyter_server_ydoc", "jupyter_server_fileid")


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder in memory, as systemd gives one to each user."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, memory: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("guarded"), extensions=EXTENSIONS)
    server.environment["XDG_RUNTIME_DIR"] = str(memory)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("stock"), guarded=False, extensions=EXTENSIONS)
    try:
        yield server.start()
    finally:
        server.stop()


def lay_out(server: JupyterServer, name: str) -> Path:
    file = server.root / name
    file.write_text(as_file(notebook(code("1"))) if name.endswith(".ipynb") else "harmless\n")
    return file


def on_disk(server: JupyterServer, secret: str) -> list[Path]:
    """Files anywhere below the server's folder that hold the secret; its working folder is among them."""
    files = (file for file in server.folder.rglob("*") if file.is_file())
    return [file for file in files if any(needle in file.read_bytes() for needle in encodings(secret))]


def source(text: str) -> Callable[[Any], None]:
    """Set the source of the first cell, or the text of a file."""

    def act(document: Any) -> None:
        if hasattr(document, "ycells"):
            cell = document.get_cell(0)
            document.set_cell(0, {**cell, "source": text})
        else:
            document.source = text

    return act


def output(text: str) -> Callable[[Any], None]:
    def act(document: Any) -> None:
        document.set_cell(0, {**document.get_cell(0), "outputs": [stream(text)], "execution_count": 1})

    return act


@pytest.mark.parametrize("name", ["shared.ipynb", "shared.env"])
def test_a_refused_document_is_told_of_and_keeps_its_text(guarded: JupyterServer, memory: Path, name: str) -> None:
    secret = make_secret(f"refused {name}")
    file = lay_out(guarded, name)
    before = file.read_bytes()
    text = call(secret) if name.endswith(".ipynb") else line(secret)
    with (
        EventListener(guarded) as listener,
        Collaborator(guarded, name) as first,
        Collaborator(guarded, name) as second,
    ):
        first.change(source(text))
        event = listener.wait_for(path=name, outcome="refused")
        assert "Nothing was written and nothing is lost" in event["message"]
        assert secret not in str(event)
        assert file.read_bytes() == before
        assert on_disk(guarded, secret) == []
        second.wait_until(lambda: secret in str(second.source))
        assert first.save()["status"] == "success"  # what the extension says of any save: hence the event
        assert secret in str(first.source)
        assert file.read_bytes() == before
        first.change(source("print('clean')"))
        wait_until(lambda: "clean" in file.read_text())
    assert on_disk(guarded, secret) == []
    assert secret not in guarded.log
    assert [store.name for store in memory.glob("jupyter-qguard-*/*.db")] == ["ystore.db"]


def test_a_redacted_document_is_told_of_and_keeps_its_text(guarded: JupyterServer) -> None:
    secret = make_secret("shared output")
    file = lay_out(guarded, "output.ipynb")
    with EventListener(guarded) as listener, Collaborator(guarded, "output.ipynb") as someone:
        someone.change(output(line(secret)))
        event = listener.wait_for(path="output.ipynb", outcome="redacted")
        assert secret not in str(event)
        wait_until(lambda: "[redacted:" in file.read_text())
        someone.change(lambda document: document.append_cell(code("print('later')", number=1)))
        wait_until(lambda: "later" in file.read_text())
        assert "[redacted:" in file.read_text()
        assert secret in str(someone.source)
    assert on_disk(guarded, secret) == []


def test_an_override_lets_a_shared_document_through(guarded: JupyterServer) -> None:
    secret = make_secret("shared override")
    file = lay_out(guarded, "override.ipynb")
    with EventListener(guarded) as listener, Collaborator(guarded, "override.ipynb") as someone:
        someone.change(source(call(secret)))
        event = listener.wait_for(path="override.ipynb", outcome="refused")
        body = {"id": event["id"], "reason": "an expired key, shown on purpose"}
        assert guarded.request("POST", OVERRIDES, body).status == 201
        someone.save()
        wait_until(lambda: secret in file.read_text())
        listener.wait_for(path="override.ipynb", outcome="overridden")


def test_the_store_ends_with_its_server_however_that_ends(tmp_path: Path, memory: Path) -> None:
    before = set(memory.iterdir())
    servers = [JupyterServer(tmp_path / name) for name in ("killed", "other", "next")]
    for server in servers:
        server.environment["XDG_RUNTIME_DIR"] = str(memory)
    killed, other, following = servers
    try:
        killed.start()
        other.start()
        assert len(set(memory.iterdir()) - before) == 2
        killed.kill()
        following.start()
        assert len(set(memory.iterdir()) - before) == 2
    finally:
        for server in servers:
            server.stop()
    assert set(memory.iterdir()) == before


def test_a_stock_server_puts_it_into_file_and_store(stock: JupyterServer) -> None:
    secret = make_secret("stock")
    file = lay_out(stock, "shared.ipynb")
    with Collaborator(stock, "shared.ipynb") as someone:
        someone.change(source(call(secret)))
        wait_until(lambda: secret in file.read_text())
    assert {found.name for found in on_disk(stock, secret)} > {"shared.ipynb"}
