"""Which pieces of code may feed a constant into which others, told by the names they mention."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.strength import is_material

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

_NAME = re.compile(r"[^\W\d]\w*")
_BINDS = re.compile(
    r"(?m)^[ \t]*([A-Za-z_(][^=\n]{0,120}?)[-+*/|&]?=(?!=)|^[ \t]*(?:def|class)[ \t]+(\w+)|\b(\w+)[ \t]*:="
)
_QUOTED = re.compile(r"[\"']([^\"']{4,})(?=[\"'])")
_PIECE = re.compile(r"[A-Za-z0-9_+/\-]{8,}")
_CHOSEN = re.compile(r"[0-9]|[a-z][A-Z]")
_SPELLED = re.compile(
    r"chr\(|\\[xuUN0-7]|fromhex|bytes\(|bytearray\(|(?:\d{2,3}\s*,\s*){6}|(?:0x[0-9a-fA-F]+\s*,\s*){6}"
)
"""Characters that are written as numbers."""


def feeders(sources: Sequence[tuple[int, str]], sinks: AbstractSet[int], *, chosen: bool) -> set[int]:
    """The numbers of the *sinks*, and of the sources before them from which a constant may reach one.

    None where no literal among them could be a piece of a secret: a random one, or where people *chosen* theirs any.

    *sources* are numbered pieces of code in the order in which they stand.
    """
    found: set[int] = set()
    wanted: set[str] = set()
    worth = False
    for number, text in reversed(sources) if sinks else ():
        if number in sinks or (("'" in text or '"' in text) and not wanted.isdisjoint(_bound(text))):
            found.add(number)
            wanted.update(_NAME.findall(text))
            worth = worth or _holds_piece(text, chosen=chosen)
    return found if worth else set()


def _bound(text: str) -> set[str]:
    """The names that the code may bind."""
    return {name for left in _BINDS.findall(text) for part in left if part for name in _NAME.findall(part)}


def _holds_piece(text: str, *, chosen: bool) -> bool:
    """Whether a literal of the code could be a piece of a secret."""
    if _SPELLED.search(text):
        return True
    quoted = (match.group(1) for match in _QUOTED.finditer(text))
    if chosen:
        return any(_CHOSEN.search(piece) for piece in quoted)
    return any(is_material(run) for piece in quoted for run in _PIECE.findall(piece))
