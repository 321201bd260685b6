"""What a hostile reviewer got through once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_fail_closed import server, started
from tests.server.harness import JupyterServer
from tests.server.planted import code, line, make_secret, notebook

__all__ = ["server", "started"]
pytestmark = pytest.mark.e2e

_LONG = {"cell_type": "markdown", "id": "long", "metadata": {}, "source": "nothing to see here\n" * 150_000}


@pytest.mark.parametrize("more", [(), (_LONG,)], ids=["judged first", "judged meanwhile"])
def test_an_id_that_two_cells_have_is_not_quoted(server: JupyterServer, more: tuple[dict[str, Any], ...]) -> None:
    identifier = f"ghp_{make_secret(f'id {len(more)}')[:36]}"
    cells = [{**code(source), "id": identifier} for source in ("1", "2")]
    assert server.save("ids.ipynb", notebook(*cells, *more)).status == 422
    assert identifier not in server.log


def test_a_nul_does_not_hide_what_is_saved_as_text(server: JupyterServer) -> None:
    secret = make_secret("behind a nul")
    assert server.save("nul.log", f"\0\n{line(secret)}").status == 422
    assert server.leaks(secret) == []
