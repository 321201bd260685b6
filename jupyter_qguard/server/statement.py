"""What a notebook states of itself in ``metadata.qguard``: its class, and why the class is lower than before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.finding import Classification
from jupyter_qguard.scan.notebook import parse_notebook

_MARK = b'"qguard"'
"""A file without this states nothing. Jupyter writes the key so; what writes it in another way writes past the guard."""
_LONGEST_REASON = 1000
"""Code points."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The class that a notebook states, and the reason that stands beside it."""

    classification: Classification | None = None
    reason: str = ""

    def reason_after(self, before: Statement) -> str:
        """The reason, if it is not the one that an earlier change was given."""
        return self.reason if self.reason != before.reason else ""


class _Head(msgspec.Struct):
    """All that is read of a file; the cells are passed over."""

    metadata: Any = None


def statement_in(metadata: object) -> Statement:
    """Read a notebook's metadata. A class by an unknown name counts as not stated."""
    own = metadata.get("qguard") if isinstance(metadata, Mapping) else None
    if not isinstance(own, Mapping):
        return Statement()
    name, reason = own.get("classification"), own.get("reason")
    return Statement(
        Classification.__members__.get(name.upper()) if isinstance(name, str) else None,
        reason.strip()[:_LONGEST_REASON] if isinstance(reason, str) else "",
    )


def statement_of(data: bytes) -> Statement:
    """Read the bytes of a notebook file. What is no notebook states nothing."""
    if _MARK not in data:
        return Statement()
    try:
        return statement_in(msgspec.json.decode(data, type=_Head).metadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # a byte order mark, NaN: Jupyter reads more than JSON
    try:
        return statement_in(parse_notebook(data).get("metadata"))
    except InputError:
        return Statement()
