"""Contents managers that users configured: subclasses, others' own, ones without files. The guard goes around each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.write_paths import REDACTED, REFUSED, Way
from tests.server.harness import JupyterServer
from tests.server.planted import as_file, call, code, in_output, in_source, line, make_secret, notebook

pytestmark = pytest.mark.e2e
FOREIGN = Path(__file__).parent.parent / "server" / "foreign"
WITH_FILES = ("Mirroring", "Slotted", "Unhooked")
WITHOUT_FILES = ("Memory", "AsyncMemory")


def started(folder: Path, manager: str, *, guarded: bool = True, **options: Any) -> JupyterServer:
    wanted = {"ServerApp.contents_manager_class": f"foreign_managers.{manager}", **options}
    server = JupyterServer(folder, guarded=guarded, options=wanted)
    if "Memory" in manager:
        checkpoints = "GenericFileCheckpoints" if manager == "Memory" else "AsyncGenericFileCheckpoints"
        server.options[f"{checkpoints}.root_dir"] = str(server.root)
    server.environment["PYTHONPATH"] = str(FOREIGN)
    return server.start()


@pytest.fixture(scope="module", params=WITH_FILES)
def filed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = started(tmp_path_factory.mktemp("filed"), request.param)
    yield server
    server.stop()


@pytest.fixture(scope="module", params=WITHOUT_FILES)
def fileless(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = started(tmp_path_factory.mktemp("fileless"), request.param)
    yield server
    server.stop()


def test_the_guard_is_whole_where_there_are_files(filed: JupyterServer) -> None:
    name = filed.options["ServerApp.contents_manager_class"].rsplit(".", 1)[-1]
    assert filed.status()["contents"] == f"whole: {name}"


@pytest.mark.parametrize("way", [*REFUSED.values(), *REDACTED.values()], ids=[*REFUSED, *REDACTED])
def test_no_secret_reaches_the_disk(filed: JupyterServer, way: Way) -> None:
    secret = make_secret(f"foreign {way.__name__}")
    tried = way(filed, way.__name__, secret)
    assert (tried.last in (400, 422)) is (way.__name__ in REFUSED), tried.replies[-1].body
    assert set(filed.leaks(secret)) <= set(tried.planted)


def test_a_manager_of_ones_own_writes_the_secret_in_a_stock_server(tmp_path: Path) -> None:
    secret = make_secret("stock mirror")
    server = started(tmp_path / "server", "Mirroring", guarded=False)
    try:
        server.save("n.ipynb", in_source(secret))
        assert {file.name for file in server.leaks(secret)} >= {"n.ipynb", "n.ipynb.mirror"}
    finally:
        server.stop()


def content(server: JupyterServer, path: str) -> str:
    reply = server.request("GET", f"/api/contents/{path}")
    return reply.body.decode() if reply.status == 200 else ""


def test_the_guard_is_whole_where_there_are_no_files(fileless: JupyterServer) -> None:
    name = fileless.options["ServerApp.contents_manager_class"].rsplit(".", 1)[-1]
    assert fileless.status()["contents"] == f"whole: {name}"


def test_nothing_is_kept_without_a_file_either(fileless: JupyterServer) -> None:
    secret = make_secret("no file")
    assert fileless.save("n.ipynb", in_source(secret)).status == 422
    assert fileless.save("n.env", line(secret)).status == 422
    assert content(fileless, "n.ipynb") == content(fileless, "n.env") == ""
    assert fileless.save("o.ipynb", in_output(secret)).status in (200, 201)
    assert "[redacted:" in content(fileless, "o.ipynb")
    assert fileless.save("c.ipynb", notebook(code("1"))).status in (200, 201)
    assert fileless.request("POST", "/api/contents/c.ipynb/checkpoints").status == 201
    text = as_file(in_source(secret))
    middle = text.index(secret) + 20
    assert fileless.save("u.ipynb", text[:middle], chunk=1).status in (200, 201)
    assert fileless.save("u.ipynb", text[middle:], chunk=-1).status == 422
    assert not any(secret in content(fileless, path) for path in ("n.ipynb", "n.env", "o.ipynb", "u.ipynb"))
    assert fileless.leaks(secret) == []


def test_what_was_kept_before_leaves_redacted(fileless: JupyterServer) -> None:
    """Something else put it there: here an override does."""
    secret = make_secret("kept before")
    refused = fileless.save("kept.env", line(secret))
    identifier = refused.message[-17:-1]
    fileless.request("POST", "/qguard/api/v1/overrides", {"id": identifier, "reason": "to have something to download"})
    assert fileless.save("kept.env", line(secret)).status in (200, 201)
    assert secret in content(fileless, "kept.env")
    sent = fileless.request("GET", "/files/kept.env")
    assert (sent.status, secret in sent.body.decode()) == (200, False)


def test_a_class_that_cannot_be_guarded_whole_is_guarded_by_its_hook_and_says_so(tmp_path: Path) -> None:
    secret = make_secret("final")
    server = started(tmp_path / "server", "Final")
    try:
        assert server.status()["contents"] == "hook only: Final"
        assert server.save("n.ipynb", in_source(secret)).status == 422
        assert server.save("n.py", call(secret)).status == 422
        assert server.save("o.ipynb", in_output(secret)).status == 201
        assert server.save("u.py", "nothing", chunk=1).status == 422
        assert server.leaks(secret) == []
    finally:
        server.stop()


def with_extension(folder: Path, name: str) -> JupyterServer:
    server = JupyterServer(folder, extensions=(name,))
    server.environment["PYTHONPATH"] = str(FOREIGN)
    return server


def test_a_manager_that_another_extension_puts_in_place_is_guarded(tmp_path: Path) -> None:
    secret = make_secret("late")
    server = with_extension(tmp_path / "server", "late_extension")
    try:
        server.start()
        assert server.status()["contents"] == "whole: Late"
        assert server.save("n.ipynb", in_source(secret)).status == 422
        assert server.leaks(secret) == []
    finally:
        server.stop()


def test_a_server_whose_manager_cannot_be_guarded_at_all_ends(tmp_path: Path) -> None:
    """jupyter_server would only log that an extension failed, and go on without it."""
    server = with_extension(tmp_path / "server", "late_extension")
    server.environment["LATE"] = "no manager"
    try:
        with pytest.raises(AssertionError, match="did not come up"):
            server.start()
        assert "cannot guard this server" in server.log
        assert server.exit_code == 70
    finally:
        server.stop()


@pytest.fixture(scope="module")
def jupytext(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = with_extension(tmp_path_factory.mktemp("jupytext"), "jupyterlab_jupytext")
    try:
        yield server.start()
    finally:
        server.stop()


def paired(document: dict[str, Any]) -> dict[str, Any]:
    """The notebook, to be kept as a script too."""
    return {**document, "metadata": {**document["metadata"], "jupytext": {"formats": "ipynb,py:percent"}}}


@pytest.mark.parametrize("way", [*REFUSED.values(), *REDACTED.values()], ids=[*REFUSED, *REDACTED])
def test_with_jupytext_no_secret_reaches_the_disk(jupytext: JupyterServer, way: Way) -> None:
    secret = make_secret(f"jupytext {way.__name__}")
    tried = way(jupytext, way.__name__, secret)
    assert (tried.last in (400, 422)) is (way.__name__ in REFUSED), tried.replies[-1].body
    assert set(jupytext.leaks(secret)) <= set(tried.planted)


def test_both_files_of_a_jupytext_pair_are_guarded(jupytext: JupyterServer) -> None:
    secret = make_secret("pair")
    assert jupytext.status()["contents"].startswith("whole: ")
    assert jupytext.save("pair.ipynb", paired(notebook(code("1")))).status == 201
    script = jupytext.root / "pair.py"
    before = script.read_text()
    assert "jupytext" in before
    assert jupytext.save("pair.ipynb", paired(in_source(secret))).status == 422
    assert jupytext.save("pair.py", paired(in_source(secret)), type="notebook", format="json").status == 422
    assert script.read_text() == before
    assert jupytext.save("pair.ipynb", paired({**in_output(secret)})).status == 200
    assert jupytext.leaks(secret) == []
    assert script.read_text() != before
