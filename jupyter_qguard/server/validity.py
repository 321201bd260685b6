"""Whether redaction keeps a notebook valid. Looks only at what was touched: a whole notebook takes too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from jupyter_qguard.scan import Finding


def stays_valid(before: Mapping[str, Any], after: Mapping[str, Any], findings: Sequence[Finding]) -> bool:
    """Whether *after* is as valid as *before* was. What was invalid already may stay so: the user could save it."""
    touched = sorted({finding.cell.index for finding in findings if finding.cell is not None})
    return _is_valid(_excerpt(after, touched)) or not _is_valid(_excerpt(before, touched))


def _excerpt(document: Mapping[str, Any], touched: list[int]) -> dict[str, Any]:
    cells = document.get("cells")
    if not isinstance(cells, list):
        return dict(document)  # nbformat 3: small by its age
    return {**document, "cells": [cells[number] for number in touched]}


def _is_valid(excerpt: dict[str, Any]) -> bool:
    try:
        nbformat.validate(nbformat.from_dict(excerpt))  # type: ignore[no-untyped-call]
    except nbformat.ValidationError:
        return False
    except Exception:  # noqa: BLE001 - nbformat raises all sorts on notebooks it cannot make sense of
        return False
    return True
