"""Reads notebooks: bytes to a checked document. Looks only at what the scanner must rely on, so that it never refuses
a notebook that a front end can open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jupyter_qguard.errors import InputError

MAX_DEPTH = 400
"""Levels of nesting that are walked. Stock Jupyter fails near 990, at Python's recursion limit."""


def parse_notebook(data: bytes) -> dict[str, Any]:
    """Parse the bytes of an ``.ipynb`` file.

    Accepts what Jupyter accepts: a byte order mark, ``NaN``, duplicate keys (the last one counts, as on save).

    Raises
    ------
    InputError
        Not UTF-8, not JSON, nested too deeply, or no notebook. Says where; quotes nothing of the content.
    """
    document = parse_json(data)
    check_notebook(document)
    assert isinstance(document, dict)  # noqa: S101 - what check_notebook has established
    return document


def parse_json(data: bytes) -> Any:
    """Parse JSON the way Jupyter does. Raises InputError with line and column."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte {error.start} of the file cannot be decoded"
        raise InputError(message) from None
    except json.JSONDecodeError as error:
        message = f"not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise InputError(message) from None
    except RecursionError:
        message = f"not a usable notebook: JSON nested deeper than {MAX_DEPTH} levels"
        raise InputError(message) from None
    except ValueError:  # integers beyond Python's digit limit
        message = "not a usable notebook: a number has too many digits"
        raise InputError(message) from None


def check_notebook(document: object) -> None:
    """Refuse what is no notebook. Raises InputError that says which part is wrong."""
    if not isinstance(document, Mapping):
        message = "not a notebook: the file holds no JSON object"
        raise InputError(message)
    if "cells" in document:
        _check_cells(document["cells"], "cells")
        return
    sheets = document.get("worksheets")
    if not isinstance(sheets, list):
        message = "not a notebook: it has neither cells (nbformat 4) nor worksheets (nbformat 3)"
        raise InputError(message)
    for number, sheet in enumerate(sheets):
        if not isinstance(sheet, Mapping):
            message = f"malformed notebook: worksheets/{number} is no object"
            raise InputError(message)
        _check_cells(sheet.get("cells", []), f"worksheets/{number}/cells")


def _check_cells(cells: object, where: str) -> None:
    if not isinstance(cells, list):
        message = f"malformed notebook: {where} is no list"
        raise InputError(message)
    for number, cell in enumerate(cells):
        check_cell(cell, f"{where}/{number}")


def check_cell(cell: object, where: str) -> None:
    """Refuse what is no cell. Raises InputError that says which part of *where* is wrong."""
    if not isinstance(cell, Mapping):
        message = f"malformed notebook: {where} is no object"
        raise InputError(message)
    if not isinstance(cell.get("cell_type", "code"), str):
        message = f"malformed notebook: {where}/cell_type is no string"
        raise InputError(message)
