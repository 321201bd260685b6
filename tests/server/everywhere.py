"""A notebook with another secret in every place from which an exporter could print it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tests.server.planted import call, code, line, make_secret, notebook, stream

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c63f8cfc0f01f0005000101ff7f6d2d0000000049454e44ae426082"
    )
).decode()
_WIDGETS = "application/vnd.jupyter.widget-state+json"


def _result(mime: str, data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {mime: data}, "metadata": {}}


def _error(secret: str) -> dict[str, Any]:
    traceback = [f"\x1b[0;31mValueError\x1b[0m: {line(secret)}"]
    return {"output_type": "error", "ename": "ValueError", "evalue": line(secret), "traceback": traceback}


def _raw(source: str) -> dict[str, Any]:
    return {"cell_type": "raw", "id": "raw", "metadata": {}, "source": source}


def _markdown(source: str, **keys: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "markdown", "metadata": {}, "source": source, **keys}


def _attached(secret: str) -> dict[str, Any]:
    text = base64.b64encode(line(secret).encode()).decode()
    return _markdown(
        "![a](attachment:a.txt)", attachments={"a.txt": {"text/plain": text}, "b.png": {"image/png": PIXEL}}
    )


def _widget(secret: str) -> dict[str, Any]:
    state = {
        "a": {"model_module": "@jupyter-widgets/controls", "model_module_version": "2.0.0", "model_name": "TextModel"}
    }
    state["a"]["state"] = {"description": "token", "value": line(secret)}  # type: ignore[assignment]
    return {"widgets": {_WIDGETS: {"state": state, "version_major": 2, "version_minor": 0}}}


_CELLS: dict[str, Callable[[str], dict[str, Any]]] = {
    "source": lambda secret: code(call(secret)),
    "stream": lambda secret: code("1", stream(line(secret))),
    "plain result": lambda secret: code("1", _result("text/plain", line(secret))),
    "javascript": lambda secret: code("1", _result("application/javascript", f'token = "{line(secret)}"')),
    "error": lambda secret: code("1", _error(secret)),
    "raw": lambda secret: _raw(line(secret)),
    "cell metadata": lambda secret: {**code("1"), "metadata": {"note": line(secret)}},
}
_OF_PROGRAMS: dict[str, Callable[[str], dict[str, Any]]] = {
    "html": lambda secret: code("1", _result("text/html", f"<p>QISKIT_IBM_TOKEN=<b>{secret}</b></p>")),
    "svg": lambda secret: code("1", _result("image/svg+xml", f"<svg><text>{line(secret)}</text></svg>")),
    "markdown": lambda secret: _markdown(f"The key:\n\n    {line(secret)}"),
    "latex": lambda secret: code("1", _result("text/latex", f"$QISKIT_IBM_TOKEN={secret}$")),
    "attachment": _attached,
}
"""What exporters to print formats need pandoc and inkscape for."""


def everywhere(*, plain: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """A valid notebook, and its secrets by place; a *plain* one can be exported without other programs."""
    makers = _CELLS if plain else {**_CELLS, **_OF_PROGRAMS}
    secrets = {place: make_secret(f"everywhere {place}") for place in (*makers, "widget", "metadata")}
    cells = [{**make(secrets[place]), "id": f"cell-{number}"} for number, (place, make) in enumerate(makers.items())]
    picture = code("1", _result("image/png", PIXEL), number=len(cells))
    return notebook(*cells, picture, note=line(secrets["metadata"]), **_widget(secrets["widget"])), secrets
