"""Replacements in a source, and the view that they make of it."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import NOTHING
from jupyter_qguard.scan.fold.literal import skip_glue
from jupyter_qguard.scan.view import ViewBuilder

if TYPE_CHECKING:
    from jupyter_qguard.scan.view import View

_GROWTH_BASE = 16 * 1024
_GROWTH_FACTOR = 4
"""A view is at most so many times longer than its cell, and the base: what names bring in is bounded."""
_BEFORE = re.compile(r"[A-Za-z_]\w*\Z")
_KEYWORDS = frozenset(
    "and assert await del elif else from if import in is lambda not or raise return while yield".split()
)
_QUOTES = ('"', "'", '"""', "'''")


class Edits:
    """Disjoint replacements of runs of one source."""

    def __init__(self, source: str, fragment: int) -> None:
        """Nothing replaced."""
        self._source = source
        self._fragment = fragment
        self._room = _GROWTH_FACTOR * len(source) + _GROWTH_BASE
        self._edits: list[tuple[int, int, View]] = []

    def __bool__(self) -> bool:
        """Whether anything is replaced."""
        return bool(self._edits)

    def replace(self, start: int, end: int, view: View) -> None:
        """Put *view* in place of ``[start, end)``, unless the view of the cell would become too long."""
        growth = len(view.text) - (end - start)
        if growth <= self._room:
            self._room -= max(growth, 0)
            self._edits.append((start, end, view))

    def remove(self, start: int, end: int) -> None:
        """Take ``[start, end)`` out."""
        if start < end:
            self._edits.append((start, end, NOTHING))

    def mark(self) -> int:
        """How many replacements there are, for :meth:`rollback`."""
        return len(self._edits)

    def rollback(self, mark: int) -> None:
        """Forget the replacements made since :meth:`mark`."""
        del self._edits[mark:]

    def render(self, start: int, end: int) -> View:
        """The view of ``[start, end)``. Of replacements that overlap the first one holds."""
        builder = ViewBuilder()
        done = start
        for low, high, view in sorted(self._edits, key=itemgetter(0, 1)):
            if low < done or high > end:
                continue
            builder.append(self._source[done:low], self._fragment, done, low)
            builder.append_slice(view, 0, len(view.text))
            done = high
        return builder.append(self._source[done:end], self._fragment, done, end).build()


def quoted(view: View) -> View:
    """The value as one literal, in quotes that it does not hold itself."""
    text = view.text
    quote = next((quote for quote in _QUOTES if quote not in text and not text.endswith(quote[0])), _QUOTES[0])
    return ViewBuilder().insert(quote).append_slice(view, 0, len(text)).insert(quote).build()


def widened(source: str, start: int, end: int) -> tuple[int, int]:
    """``[start, end)`` with the parentheses around it that only group."""
    while True:
        close = skip_glue(source, end, len(source))
        if source[close : close + 1] != ")":
            return start, end
        opening = _skip_back(source, start) - 1
        if opening < 0 or source[opening] != "(" or _is_call(source, opening):
            return start, end
        start, end = opening, close + 1


def _skip_back(source: str, at: int) -> int:
    """The end of what stands before the white space and comments before *at*."""
    while True:
        while at and source[at - 1] in " \t\f\r\n\\":
            at -= 1
        line = source.rfind("\n", 0, at) + 1
        comment = source.find("#", line, at)
        if comment < 0 or any(quote in source[line:comment] for quote in "'\""):
            return at
        at = comment


def _is_call(source: str, opening: int) -> bool:
    """Whether the parenthesis holds arguments: it follows a name or another expression."""
    before = source[max(0, opening - 200) : opening].rstrip(" \t\\")
    if not before or before[-1] in "\r\n=,([{:+-*/%<>|&^~@!;.":
        return False
    word = _BEFORE.search(before)
    return word is None or word.group() not in _KEYWORDS
