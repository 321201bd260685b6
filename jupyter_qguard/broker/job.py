"""The job that a vendor's answer to a submit names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 200
"""Characters of a job's name that are recorded."""


def job_named(where: str, headers: Iterable[tuple[str, str]], body: bytes) -> str:
    """What stands at *where* (``job`` of an operation) in an answer; empty if nothing does.

    A JSON pointer (RFC 6901; ``#`` is the whole answer), or the name of a header with the job's address.
    """
    if where.startswith(("/", "#")):
        return _pointed(body, where.removeprefix("#"))
    address = dict(headers).get(where.lower(), "")
    return address.partition("?")[0].rstrip("/").rpartition("/")[2][:_LONGEST]


def _pointed(body: bytes, pointer: str) -> str:
    try:
        found: Any = json.loads(body)
        for step in pointer.split("/")[1:]:
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return str(found)[:_LONGEST] if isinstance(found, (str, int)) and not isinstance(found, bool) else ""
