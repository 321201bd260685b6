"""What people do to notebooks: paste a key into a cell, leave one in an output, carry one along in an upload."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
Notebook = dict[str, Any]


def load(name: str) -> Notebook:
    """One of the notebooks of ``examples/notebooks``."""
    document: Notebook = json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))
    return document


def pasted(document: Notebook, call: str, argument: str) -> Notebook:
    """A copy in which *call*, written ``Name()`` in a cell, has *argument* between its brackets."""
    changed = copy.deepcopy(document)
    for cell in changed["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and f"{call}()" in source:
            cell["source"] = source.replace(f"{call}()", f"{call}({argument})")
            return changed
    message = f"no cell calls {call}()"
    raise LookupError(message)


def failed_with_header(document: Notebook, key: str) -> Notebook:
    """A copy whose run ended in a coloured traceback that shows the header of the refused request."""
    changed = copy.deepcopy(document)
    cell = next(cell for cell in changed["cells"] if "backend.run" in "".join(cell["source"]))
    cell["outputs"] = [
        {
            "output_type": "error",
            "ename": "IonQAPIError",
            "evalue": "401 Client Error: Unauthorized",
            "traceback": [
                "\x1b[0;31m---------------------------------------------------------------------------\x1b[0m",
                "\x1b[0;31mIonQAPIError\x1b[0m                              Traceback (most recent call last)",
                (
                    "Cell \x1b[0;32mIn[5], line 1\x1b[0m\n\x1b[0;32m----> 1\x1b[0m job \x1b[38;5;241m=\x1b[39m "
                    "backend\x1b[38;5;241m.\x1b[39mrun(circuit)"
                ),
                (
                    f"\x1b[0;31mIonQAPIError\x1b[0m: 401 Client Error: Unauthorized for url: "
                    f"https://api.ionq.co/v0.4/jobs, headers={{'Authorization': 'apiKey \x1b[1m{key}\x1b[0m'}}"
                ),
            ],
        }
    ]
    return changed


def with_cell(document: Notebook, source: str) -> Notebook:
    """A copy with one more code cell at its start."""
    changed = copy.deepcopy(document)
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "pasted",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    changed["cells"].insert(0, cell)
    return changed
