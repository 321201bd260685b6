"""Notebooks of nbformat 3: worksheets, ``input`` and ``pyout``."""

from __future__ import annotations

from typing import Any

from benchmarks.draft import Cell, Draft, Notebook
from benchmarks.places.registry import place


def _code(draft: Draft, source: str, *outputs: dict[str, Any]) -> Cell:
    return {
        "cell_type": "code",
        "collapsed": False,
        "input": draft.text(source),
        "language": "python",
        "metadata": {},
        "outputs": list(outputs),
        "prompt_number": 3,
    }


def _notebook(draft: Draft, *cells: Cell, metadata: dict[str, Any] | None = None) -> Notebook:
    before = [
        {"cell_type": "heading", "level": 1, "metadata": {}, "source": [f"Bell states on {draft.credential.title}"]},
        _code(draft, draft.credential.setup),
    ]
    sheet = {"cells": before + list(cells), "metadata": {}}
    return {
        "metadata": {"name": "bell"} | (metadata or {}),
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [sheet],
    }


@place("nbformat3_input", multiline=True)
def _input(draft: Draft) -> Notebook:
    return _notebook(draft, _code(draft, draft.expand("$CALL")))


@place("nbformat3_stream")
def _stream(draft: Draft) -> Notebook:
    output = {"output_type": "stream", "stream": "stdout", "text": draft.text(draft.expand("$NAME: $R\n"))}
    return _notebook(draft, _code(draft, "print config", output))


@place("nbformat3_pyout", multiline=True)
def _pyout(draft: Draft) -> Notebook:
    text = draft.expand("{'shots': 1000, '$FIELD': '$J'}")
    output: dict[str, Any] = {"metadata": {}, "output_type": "pyout", "prompt_number": 3, "text": draft.text(text)}
    return _notebook(draft, _code(draft, "config", output))


@place("nbformat3_html")
def _html(draft: Draft) -> Notebook:
    html = draft.expand("<table><tr><th>$FIELD</th></tr><tr><td>$H</td></tr></table>")
    output: dict[str, Any] = {
        "html": draft.text(html),
        "metadata": {},
        "output_type": "display_data",
        "text": ["<table>"],
    }
    return _notebook(draft, _code(draft, "table", output))


@place("nbformat3_json", multiline=True)
def _json(draft: Draft) -> Notebook:
    text = draft.expand('{"url": "$URL", "$FIELD": "$J"}')
    output: dict[str, Any] = {"json": draft.text(text), "metadata": {}, "output_type": "display_data"}
    return _notebook(draft, _code(draft, "account", output))


@place("nbformat3_pyerr")
def _pyerr(draft: Draft) -> Notebook:
    line = draft.expand("\x1b[1;31mValueError\x1b[0m: bad $NAME '$R'")
    output = {
        "ename": "ValueError",
        "evalue": "bad login",
        "output_type": "pyerr",
        "traceback": ["\x1b[1;31m---\x1b[0m", line],
    }
    return _notebook(draft, _code(draft, "login()", output))


@place("nbformat3_metadata")
def _metadata(draft: Draft) -> Notebook:
    return _notebook(draft, _code(draft, "run()"), metadata={"account": {draft.credential.field: draft.secret}})
