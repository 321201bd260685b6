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


@pytest.fixture(scope="module", params=[name for name in _MANAGERS if "large" in name])
def stock_large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """The same server without the guard, with a manager for large files."""
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


EVERY_WAY = {**REFUSED, **REDACTED}
IN_CHUNKS = {name: way for name, way in EVERY_WAY.items() if "chunk" in name}
AT_ONCE = {name: way for name, way in EVERY_WAY.items() if name not in IN_CHUNKS}


def assert_leaks(server: JupyterServer, way: Way) -> None:
    secret = make_secret(way.__name__)
    tried = way(server, way.__name__, secret)
    assert set(server.leaks(secret)) - set(tried.planted), tried.replies[-1].body


@pytest.mark.parametrize("way", AT_ONCE.values(), ids=AT_ONCE)
def test_a_stock_server_lets_the_same_secret_through(stock: JupyterServer, way: Way) -> None:
    assert_leaks(stock, way)


@pytest.mark.parametrize("way", IN_CHUNKS.values(), ids=IN_CHUNKS)
def test_a_stock_server_lets_it_through_in_chunks(stock_large: JupyterServer, way: Way) -> None:
    """Managers for small files know no chunks: they keep only the last one, so there is nothing to show."""
    assert_leaks(stock_large, way)
