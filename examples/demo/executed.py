"""Notebooks that the scenes have executed, by `jupyter execute` as from a shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from examples.demo.stage import Stage

POLICY = "kernels.yaml"
"""In the folder of the run, where no kernel can write."""


def variables(stage: Stage) -> dict[str, str]:
    """For commands that are to find the policy."""
    return {"QGUARD_POLICY": str(stage.place.folder / POLICY)}


def execute(stage: Stage, name: str, cells: Mapping[str, str], *, guarded: bool) -> dict[str, str]:
    """Execute *cells* as a notebook; what each printed, or its error."""
    document = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells.values())
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = stage.place.root / name
    path.write_text(json.dumps(document))
    chosen = {"JUPYTER_DEFAULT_PROVISIONER_NAME": "qguard-provisioner"} if guarded else {}
    _, said = stage.run("jupyter-execute", "--inplace", "--allow-errors", name, variables=variables(stage) | chosen)
    texts = [_said(cell) for cell in json.loads(path.read_text())["cells"]]
    if not any(texts):
        stage.quote("jupyter execute", said)
    return dict(zip(cells, texts, strict=True))


def records(stage: Stage) -> list[dict[str, Any]]:
    """The audit log, oldest first."""
    _, text = stage.run("qguard", "audit", "show", "--format", "json", "--last", "500")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _said(cell: dict[str, Any]) -> str:
    parts = [
        "".join(each.get("text", "")) or f"{each.get('ename', '')}: {each.get('evalue', '')}"
        for each in cell["outputs"]
    ]
    return "\n".join(part for part in parts if part != ": ")
