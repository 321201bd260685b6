"""Secrets made up for tests, and notebooks and texts that hold them. Nothing here ever opened a door."""

from __future__ import annotations

import json
import random
import string
from typing import Any

_ALPHABET = string.ascii_letters + string.digits


def make_secret(seed: object) -> str:
    """A value of the length of an IBM Quantum key, the same for the same *seed*."""
    draw = random.Random(f"qguard {seed}")
    return "".join(draw.choice(_ALPHABET) for _ in range(44))


def call(secret: str) -> str:
    """Code that gives a secret away by where it stands."""
    return f'from qiskit_ibm_runtime import QiskitRuntimeService\nQiskitRuntimeService(token="{secret}")\n'


def line(secret: str) -> str:
    """A line of a file or an output that gives a secret away by its name."""
    return f"QISKIT_IBM_TOKEN={secret}\n"


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A valid notebook."""
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def code(source: str, *outputs: dict[str, Any], number: int = 0) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "metadata": {},
        "execution_count": 1 if outputs else None,
        "source": source,
        "outputs": list(outputs),
    }


def stream(text: str) -> dict[str, Any]:
    """An output on standard output."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def in_source(secret: str) -> dict[str, Any]:
    """A notebook with the secret in its code."""
    return notebook(code(call(secret)))


def in_output(secret: str) -> dict[str, Any]:
    """A notebook with the secret in an output."""
    return notebook(code("print(environment)", stream(line(secret))))


def old_notebook(secret: str) -> dict[str, Any]:
    """A notebook of nbformat 3 with the secret in its code."""
    cell = {
        "cell_type": "code",
        "collapsed": False,
        "input": call(secret),
        "language": "python",
        "metadata": {},
        "outputs": [],
    }
    return {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }


def as_file(document: dict[str, Any]) -> str:
    """The text of a notebook's file."""
    return json.dumps(document, indent=1) + "\n"
