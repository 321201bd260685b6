"""A save goes on while the content is scanned, and comes to the disk only when it is cleared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_fail_closed import Saving, heal, plant, server, started, wait_until
from tests.server.harness import JupyterServer
from tests.server.planted import call, code, in_output, in_source, make_secret, notebook

__all__ = ["server", "started"]
pytestmark = pytest.mark.e2e


_LONG = {"cell_type": "markdown", "id": "long", "metadata": {}, "source": "nothing to see here\n" * 150_000}
"""Smaller notebooks wait for the verdict first."""


def _long(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "cells": [*document["cells"], _LONG]}


def _state(folder: Path) -> dict[str, Any]:
    """Content and times of every file below *folder*."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file): (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files}


def _invalid(secret: str) -> dict[str, Any]:
    """A notebook that Jupyter complains about in the log, with a secret in what it quotes."""
    return notebook({**code(call(secret)), "metadata": {"tags": [secret, secret]}})


@pytest.mark.parametrize("content", [in_source, in_output])
def test_nothing_is_on_the_disk_while_the_scan_goes_on(server: JupyterServer, content: Any) -> None:
    path, secret = f"late-{content.__name__}.ipynb", make_secret(f"late {content.__name__}")
    assert server.save(path, notebook(code("1"))).status == 201
    before = _state(server.root)
    plant(server, "hang")
    saving = Saving(server, path, _long(content(secret)))
    wait_until((server.temp / "hanging").exists)
    # Other requests are answered meanwhile, and the file is as it was.
    assert server.request("GET", "/api/status").status == 200
    assert server.request("GET", f"/api/contents/{path}").json["content"]["cells"][0]["source"] == "1"
    assert _state(server.root) == before
    assert server.leaks(secret) == []
    heal(server)
    assert saving.reply.status == (422 if content is in_source else 200)
    assert server.leaks(secret) == []
    assert (_state(server.root) == before) is (content is in_source)


def test_a_clean_save_is_written_when_the_scan_is_over(server: JupyterServer) -> None:
    assert server.save("clean.ipynb", notebook(code("1"))).status == 201
    before = _state(server.root)
    plant(server, "hang")
    saving = Saving(server, "clean.ipynb", _long(notebook(code("2"))))
    wait_until((server.temp / "hanging").exists)
    assert _state(server.root) == before
    heal(server)
    assert saving.reply.status == 200
    assert '"2"' in (server.root / "clean.ipynb").read_text()


def test_a_new_notebook_that_is_refused_leaves_no_file(server: JupyterServer) -> None:
    before = _state(server.root)
    assert server.save("never.ipynb", _long(in_source(make_secret("never")))).status == 422
    assert _state(server.root) == before


def test_complaints_about_a_refused_notebook_are_not_logged(server: JupyterServer) -> None:
    secret = make_secret("quoted")
    assert server.save("quoted.ipynb", _long(_invalid(secret))).status == 422
    assert server.leaks(secret) == []
    assert secret not in server.log


def test_complaints_about_a_cleared_notebook_are_logged(server: JupyterServer) -> None:
    said = server.log.count("Notebook JSON is invalid")
    document = _invalid("stdout")
    document["cells"][0]["source"] = "1"
    assert server.save("complained.ipynb", _long(document)).status == 201
    assert server.log.count("Notebook JSON is invalid") > said


def test_a_file_that_cannot_be_written_is_the_managers_own_affair(server: JupyterServer) -> None:
    (server.root / "folder.ipynb").mkdir()
    reply = server.save("folder.ipynb", _long(notebook(code("1"))))
    assert reply.status >= 400
    assert "guard" not in reply.message
