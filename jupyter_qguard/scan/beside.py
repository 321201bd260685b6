"""Reads values that stand beside the place where a name would have its own: fallbacks, pipes, the items of a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.value import read_value

if TYPE_CHECKING:
    from collections.abc import Iterator

_FALLBACK = re.compile(
    r"""["'][\])]{0,3}\s{0,4}(or|,|\?\?|\|\||if\s[^\n]{1,60}?\selse)\s{0,4}(?=[rRbBuUfF]{0,2}["'])"""
)
_PIPED = re.compile(r"""\becho\s{1,4}(?:-n\s{1,4})?["']?([^\s"'$|]{6,512})["']?\s{0,4}\|[^\n|]{1,160}\Z""")
_LIST = re.compile(r"""\\{0,2}["']?\s{0,4}[=:]\s{0,4}[\[({]\s{0,24}(?=[rRbBuUfF]{0,2}["'])""")
_NEXT = re.compile(r"""\s{0,8},\s{0,24}(?=[rRbBuUfF]{0,2}["'])""")
_LONGEST_LIST = 64


def fallback_value(text: str, high: int, end: int, *, listed: bool) -> tuple[int, int] | None:
    """The string that takes the place of one that may be missing: ``os.getenv("X", "…")``, ``… or "…"``.

    *end* is where the first string ends, *listed* whether a comma may stand between the two.
    """
    match = _FALLBACK.match(text, end, high)
    if match and match.group(1) == "," and not listed:
        return None
    value = read_value(text, match.end(), high, quoted_only=True) if match else None
    return value[:2] if value else None


def piped_value(text: str, low: int, start: int) -> tuple[int, int] | None:
    """What is written into a command whose option at *start* reads a credential: ``echo … | login --password-stdin``."""
    match = _PIPED.search(text, max(low, start - 700), start)
    return match.span(1) if match else None


def listed_values(text: str, high: int, end: int) -> Iterator[tuple[int, int]]:
    """The strings of the list bound to the name that ends at *end*; nothing where it is no list of strings."""
    match = _LIST.match(text, end, high)
    for _ in range(_LONGEST_LIST):
        value = read_value(text, match.end(), high, quoted_only=True) if match else None
        if value is None:
            return
        yield value[:2]
        match = _NEXT.match(text, value[1] + 1, high)
