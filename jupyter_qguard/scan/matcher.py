"""A set of expressions compiled for Hyperscan, kept on disk between starts."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import hyperscan

from jupyter_qguard.scan import cache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_BORDER = re.compile(r"(?<!\\)((?:\\\\)*)\\b(?![|)]|\Z)")
_ESCAPE_LETTER = "[bfnrt]?"
Hit = tuple[int, int, int]
"""Number of the expression, start (0 unless it asks for it), end."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression and how Hyperscan is to take it."""

    text: str
    caseless: bool = False
    with_start: bool = False
    """Report where matches start; costs speed."""
    loose: bool = False
    """May match where the expression does not: enough to ask somebody more exact."""

    @property
    def flags(self) -> int:
        """Hyperscan's flags."""
        return int(
            (hyperscan.HS_FLAG_CASELESS if self.caseless else 0)
            | (hyperscan.HS_FLAG_SOM_LEFTMOST if self.with_start else 0)
            | (hyperscan.HS_FLAG_PREFILTER if self.loose else 0)
        )


def in_raw_json(text: str) -> str:
    r"""The expression *text* as it may stand in raw JSON, where the ``n`` of ``\n`` touches the word that follows."""
    return _BORDER.sub(lambda match: f"{match.group(1)}\\b{_ESCAPE_LETTER}", text)


class Matcher:
    """Compiled expressions. One per thread: the scratch space is not shared."""

    def __init__(self, database: hyperscan.Database) -> None:
        """Use :meth:`load`."""
        self._database = database
        self._scratch = hyperscan.Scratch(database)

    @classmethod
    def load(cls, version: str, expressions: Callable[[], Sequence[Expression]], folder: Path | None) -> Matcher:
        """The compiled *expressions* of that *version* from *folder*, or compiled now and kept there.

        *expressions* is called only where there is something to compile.
        """
        path = _path(version, folder) if folder else None
        kept = cache.read(path) if path else None
        if kept is not None:
            return cls(hyperscan.loadb(kept, hyperscan.HS_MODE_BLOCK))
        wanted = expressions()
        database = hyperscan.Database()
        database.compile(
            expressions=[expression.text.encode("ascii") for expression in wanted],
            ids=list(range(len(wanted))),
            elements=len(wanted),
            flags=[expression.flags for expression in wanted],
        )
        if path:
            cache.write(path, hyperscan.dumpb(database))
        return cls(database)

    def find(self, data: bytes) -> list[Hit]:
        """All hits in *data*, in the order of their ends."""
        hits: list[Hit] = []
        append = hits.append
        self._database.scan(
            data,
            match_event_handler=lambda number, start, end, _flags, _context: append((number, start, end)),
            scratch=self._scratch,
        )
        return hits


def version_of(expressions: Sequence[Expression]) -> str:
    """A version for expressions that are known without being asked for."""
    return "\0".join(f"{expression.text}\1{expression.flags}" for expression in expressions)


def _path(version: str, folder: Path) -> Path:
    machine = os.uname().machine if hasattr(os, "uname") else ""
    own: str = hyperscan.__version__  # type: ignore[attr-defined] # its stubs do not say so
    whole = f"{own}\0{machine}\0{version}"
    return folder / f"{hashlib.sha256(whole.encode()).hexdigest()[:32]}.spots"
