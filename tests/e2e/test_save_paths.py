"""Whatever way a secret takes through a guarded server, no byte of it reaches the disk; through a stock one it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.e2e.write_paths import REDACTED, REFUSED, Way, written
from tests.server.harness import JupyterServer
from tests.server.planted import make_secret

pytestmark = pytest.mark.e2e

_MANAGERS = {
    "async_large": "jupyter_server.services.contents.largefilemanager.AsyncLargeFileManager",
    "async": "jupyter_server.services.contents.filemanager.AsyncFileContentsManager",
    "sync_large": "jupyter_server.services.contents.largefilemanager.LargeFileManager",
    "sync": "jupyter_server.services.contents.filemanager.FileContentsManager",
}


@pytest.fixture(scope="module", params=_MANAGERS)
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A guarded server with each kind of contents manager."""
    yield from _server(tmp_path_factory.mktemp("guarded"), _MANAGERS[request.param], guarded=True)


@pytest.fixture(scope="module", params=_MANAGERS)
def stock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """The same server without the guard."""
    yield from _server(tmp_path_factory.mktemp("stock"), _MANAGERS[request.param], guarded=False)


def _server(folder: Path, manager: str, *, guarded: bool) -> Iterator[JupyterServer]:
    server = JupyterServer(folder, guarded=guarded, options={"ServerApp.contents_manager_class": manager})
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.mark.parametrize("way", REFUSED.values(), ids=REFUSED)
def test_a_guarded_server_refuses_and_writes_nothing(guarded: JupyterServer, way: Way) -> None:
    secret = make_secret(way.__name__)
    tried = way(guarded, way.__name__, secret)
    assert tried.last in (400, 422), tried.replies[-1].body
    assert "othing was written and nothing is lost" in tried.replies[-1].message
    assert set(guarded.leaks(secret)) <= set(tried.planted)
    assert secret not in guarded.log


@pytest.mark.parametrize("way", REDACTED.values(), ids=REDACTED)
def test_a_guarded_server_redacts_and_writes_a_valid_notebook(guarded: JupyterServer, way: Way) -> None:
    secret = make_secret(way.__name__)
    tried = way(guarded, way.__name__, secret)
    assert tried.last in (200, 201, 204), tried.replies[-1].body
    assert set(guarded.leaks(secret)) <= set(tried.planted)
    documents = written(guarded, way.__name__)
    assert documents
    for document in documents:
        nbformat.validate(document)
    assert secret not in guarded.log


@pytest.mark.parametrize("way", [*REFUSED.values(), *REDACTED.values()], ids=[*REFUSED, *REDACTED])
def test_a_stock_server_lets_the_same_secret_through(stock: JupyterServer, way: Way) -> None:
    secret = make_secret(way.__name__)
    tried = way(stock, way.__name__, secret)
    manager = stock.options["ServerApp.contents_manager_class"]
    if "chunk" in way.__name__ and "Large" not in manager:
        pytest.skip("this manager knows no chunks: it keeps only the last one")
    assert set(stock.leaks(secret)) - set(tried.planted), tried.replies[-1].body
