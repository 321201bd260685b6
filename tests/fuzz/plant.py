"""Notebooks and texts with a planted secret that gives itself away wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.credentials import Credential, load_credentials
from benchmarks.grid import Case, make_case
from benchmarks.marks import unmark
from benchmarks.places import PLACES
from benchmarks.values import fill
from tests.fuzz.mutate import KEYS, Json, Path, look_up, nest, paths, tree

CREDENTIALS = load_credentials()
UNIQUE = tuple(c for c in CREDENTIALS if c.unique and not c.multiline and "<<" not in c.value)
"""Whose shape is proof. Not those with a smaller core (URLs and connection strings), which some text may run into."""
_EDGES = (
    " ",
    "\n",
    '"',
    "'",
    ": ",
    "=",
    ", ",
    "(",
    ")",
    "[",
    "]",
    "\t",
    "\x00",
    "\ud800",
    " \u2028",
    "“",
    "`",
    "|",
    "&lt;",
    ">",
)
_WORDS = (
    "job",
    "calibration",
    "übung",
    "量子",
    "qubit 7",
    "counts",
    "{'00': 512}",
    "see below",
    "x = 1",
    "%time",
    "🔑",
    "1e-3",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A document with a secret in it."""

    document: Json
    secret: str
    path: Path


def draw_secret(rng: Random) -> tuple[Credential, str]:
    """A fresh value that no context is needed for."""
    credential = rng.choice(UNIQUE)
    return credential, unmark(fill(credential.value, rng)).replace("<<", "").replace(">>", "")


def around(secret: str, rng: Random) -> str:
    """The secret among other text, its edges left alone."""
    before = " ".join(rng.choices(_WORDS, k=rng.randrange(4))) + rng.choice(_EDGES) if rng.random() < 0.7 else ""
    after = rng.choice(_EDGES) + " ".join(rng.choices(_WORDS, k=rng.randrange(4))) if rng.random() < 0.7 else ""
    return before + secret + after


def anywhere(rng: Random) -> Planted:
    """A secret in a string at a random place of a random notebook, at a random depth."""
    _, secret = draw_secret(rng)
    document = notebook(rng)
    value: Json = around(secret, rng)
    if rng.random() < 0.3:
        value = nest(value, rng.choice((1, 2, 5, 30, 120)), rng)
    containers = [path for path in paths(document) if isinstance(look_up(document, path), (list, dict))]
    at = rng.choice(containers)
    parent = look_up(document, at)
    if isinstance(parent, list):
        parent.append(value if at != ("cells",) else {"cell_type": "code", "source": value})
        step: str | int = len(parent) - 1
    else:
        step = rng.choice(KEYS)
        if at == () and step in {"cells", "worksheets"}:
            step = "extra"
        parent[step] = value
    return Planted(document, secret, (*at, step))


def notebook(rng: Random) -> dict[str, Any]:
    """A small notebook, mostly valid, with odd things in it."""
    kinds = ("code", "markdown", "raw")
    cells = []
    for _ in range(rng.randrange(4)):
        cell: dict[str, Any] = {"cell_type": rng.choice(kinds), "metadata": {}, "source": "counts"}
        if cell["cell_type"] == "code":
            cell["outputs"] = [_output(rng) for _ in range(rng.randrange(3))]
        if rng.random() < 0.2:
            cell["metadata"] = {"lab": tree(rng)}
        cells.append(cell)
    version = rng.choice((4, 4, 4, 3, 2, 1, 5, "4"))
    body: dict[str, Any] = {"metadata": {}, "nbformat": version, "nbformat_minor": rng.choice((0, 2, 4, 5, 99))}
    if version == 3:
        return {**body, "worksheets": [{"cells": cells, "metadata": {}}]}
    return {**body, "cells": cells}


def _output(rng: Random) -> dict[str, Any]:
    return rng.choice(
        (
            {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
            {
                "output_type": "display_data",
                "data": {"text/plain": "<Figure>", "image/png": "iVBORw0KGgo="},
                "metadata": {},
            },
            {
                "output_type": "execute_result",
                "data": {"application/json": tree(rng)},
                "metadata": {},
                "execution_count": 3,
            },
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m: v"]},
        )
    )


def from_grid(rng: Random) -> Case:
    """A random notebook of the grid with fresh values."""
    while True:
        credential, place = rng.choice(CREDENTIALS), rng.choice(list(PLACES.values()))
        if place.suits(credential):
            return make_case(credential, place, rng.getrandbits(32))
