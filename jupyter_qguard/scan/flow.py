"""Which pieces of code may feed a constant into which others, told by the names they mention."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from jupyter_qguard.scan.strength import is_material

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

_NAME = re.compile(r"[^\W\d]\w*")
_WALRUS = re.compile(r"(\w+)[ \t]*:=")
_DEFINED = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_DEFINES = ("async", "def", "class")
_STATEMENT = re.compile(r"(?m)^(?=[^\s)\]}])")
"""Where a statement at the top level begins, or something that looks like it."""
_TARGETS = re.compile(r"([A-Za-z_]\w*(?:[ \t]*,[ \t]*[A-Za-z_]\w*){0,9})[ \t]*=(?!=)")
_LOOP = re.compile(r"for[ \t]+(\w+)[ \t]+in\b(?![^\n]*\b\1\b)")
"""A loop, the name of which is another within it than before."""
_QUOTED = re.compile(r"[\"']([^\"']{4,})(?=[\"'])")
_PIECE = re.compile(r"[A-Za-z0-9_+/\-]{8,}")
_CHOSEN = re.compile(r"[0-9]|[a-z][A-Z]")
_SPELLED = re.compile(
    r"chr\(|\\[xuUN0-7]|fromhex|bytes\(|bytearray\(|(?:\d{2,3}\s*,\s*){6}|(?:0x[0-9a-fA-F]+\s*,\s*){6}"
)
"""Characters that are written as numbers."""


class Source:
    """A piece of code, and what is told of it once and for all."""

    def __init__(self, text: str) -> None:
        """Keep it; nothing is worked out before it is asked for."""
        self.text = text
        self._holds: dict[bool, bool] = {}

    @cached_property
    def is_quoting(self) -> bool:
        """Whether it can bind a text."""
        return "'" in self.text or '"' in self.text

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that it may bind."""
        return frozenset(_bound(self.text))

    @cached_property
    def used(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names that it may have from before, and those that are others after it, whatever they were."""
        names: set[str] = set()
        settled: set[str] = set()
        for statement in _STATEMENT.split(self.text):
            loop = _LOOP.match(statement)
            own = {*settled, loop.group(1)} if loop else settled
            targets = _TARGETS.match(statement)
            names.update(name for name in _NAME.findall(statement, targets.end() if targets else 0) if name not in own)
            if targets:
                settled.update(_NAME.findall(targets.group(1)))
        return frozenset(names), frozenset(settled)

    def holds_piece(self, *, chosen: bool) -> bool:
        """Whether a literal in it could be a piece of a secret."""
        if chosen not in self._holds:
            self._holds[chosen] = _holds_piece(self.text, chosen=chosen)
        return self._holds[chosen]


def feeders(sources: Sequence[tuple[int, Source]], sinks: AbstractSet[int], *, chosen: bool) -> set[int]:
    """The numbers of the *sinks*, and of the sources before them from which a constant may reach one.

    None where no literal among them could be a piece of a secret: a random one, or where people *chosen* theirs any.

    *sources* are numbered pieces of code in the order in which they stand.
    """
    return fed(sources, sinks, chosen=chosen)[0]


def fed(sources: Sequence[tuple[int, Source]], sinks: AbstractSet[int], *, chosen: bool) -> tuple[set[int], set[str]]:
    """As :func:`feeders`, and all names that were asked for: what binds none of them and is no sink changes nothing."""
    asked: set[str] = set()
    found: set[int] = set()
    wanted: set[str] = set()
    worth = False
    for number, source in reversed(sources) if sinks else ():
        sink = number in sinks
        if not sink and wanted.isdisjoint(source.bound):
            continue
        names, settled = source.used
        wanted -= settled
        if sink or source.is_quoting:
            found.add(number)
            wanted |= names
            asked |= names
            worth = worth or source.holds_piece(chosen=chosen)
    return (found if worth else set()), asked


def _bound(text: str) -> set[str]:
    """The names that the code may bind: what stands on the left of assignments, functions, classes."""
    found: set[str] = set(_WALRUS.findall(text)) if ":=" in text else set()
    for line in text.split("\n"):
        start = line.lstrip()
        if "=" not in start and not start.startswith(_DEFINES):
            continue
        left, equals, right = start.partition("=")
        if equals and right[:1] != "=" and left[-1:] not in "!<>" and left.count("(") <= left.count(")"):
            found.update(_NAME.findall(left))
        elif (defined := _DEFINED.match(start)) is not None:
            found.add(defined.group(1))
    return found


def _holds_piece(text: str, *, chosen: bool) -> bool:
    """Whether a literal of the code could be a piece of a secret."""
    if _SPELLED.search(text):
        return True
    quoted = (match.group(1) for match in _QUOTED.finditer(text))
    if chosen:
        return any(_CHOSEN.search(piece) for piece in quoted)
    return any(is_material(run) for piece in quoted for run in _PIECE.findall(piece))
