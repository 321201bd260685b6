"""Folds literals in text that cannot be parsed: broken cells, other languages.

Joined by ``+``, ``*`` (Julia), ``&`` (Visual Basic), ``..`` (Lua), ``<>`` (Haskell), ``paste0("…", "…")`` (R), and, in
what should be Python, by standing beside each other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import TEXT_LIMIT
from jupyter_qguard.scan.fold.edits import quoted
from jupyter_qguard.scan.fold.escapes import literals_view
from jupyter_qguard.scan.fold.literal import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.scan.fold.edits import Edits
    from jupyter_qguard.scan.fold.literal import Literal

_SPACE = r"(?:[ \t\f\r\n]|\\\r?\n|(?:#|//)[^\r\n]*[\r\n])*"
"""A comment is taken with its line end, so that there is one way to read it: many hashes must not stall the scan."""
_JOINED = re.compile(_SPACE + r"(?:\+|\*|&|\.\.|<>)" + _SPACE)
_ADJACENT = re.compile(r"(?:[ \t\f]|\\\r?\n)*")
_ADJACENT_IN_BRACKETS = re.compile(r"(?:[ \t\f\r\n]|\\\r?\n|#[^\r\n]*[\r\n])*")
_LISTED = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
_PASTED = re.compile(r"\b(?:paste0|strcat|concat|Concat|string)\($")
_STEP = re.compile(r"#[^\r\n]*|[()\[\]{}]|(?:\b[rRbBuUfFtT]{1,2})?[\"']")
_TELLING_ESCAPE = re.compile(r"\\(?:[xu0-7'\"]|\r|\n)")


def fold_tokens(source: str, start: int, end: int, fragment: int, edits: Edits, *, python: bool) -> None:
    """Replace chains of literals in ``source[start:end]`` by one literal each, and decode escapes of lone ones."""
    chain: list[Literal] = []
    listed = False
    for literal, nested in _literals(source, start, end, comments=python):
        between = (chain[-1].end, literal.start) if chain else None
        if between is not None and _is_glue(source, *between, nested=nested, python=python):
            chain.append(literal)
            continue
        if between is not None and _LISTED.fullmatch(source, *between) and (listed or _is_pasted(source, chain[0])):
            listed = True
            chain.append(literal)
            continue
        _replace(source, chain, fragment, edits)
        chain, listed = [literal], False
    _replace(source, chain, fragment, edits)


def _literals(source: str, start: int, end: int, *, comments: bool) -> Iterator[tuple[Literal, bool]]:
    """The literals outside of comments, each with whether it stands within brackets."""
    reader = Reader(source)
    depth, at = 0, start
    while True:
        step = _STEP.search(source, at, end)
        if step is None:
            return
        found, at = step.group(), step.end()
        if found[-1] in "\"'":
            literal = reader.read(step.start(), end)
            if literal is not None:
                at = literal.end
                yield literal, depth > 0
        elif found[0] == "#":
            if not comments:
                at = step.start() + 1
        elif found in "([{":
            depth += 1
        else:
            depth = max(0, depth - 1)


def _is_glue(source: str, start: int, end: int, *, nested: bool, python: bool) -> bool:
    """Whether what stands between two literals joins them."""
    if _JOINED.fullmatch(source, start, end):
        return True
    if not python:
        return False
    return (_ADJACENT_IN_BRACKETS if nested else _ADJACENT).fullmatch(source, start, end) is not None


def _is_pasted(source: str, first: Literal) -> bool:
    """Whether the literal is the first argument of a function that joins its arguments."""
    return _PASTED.search(source, max(0, first.start - 20), first.start) is not None


def _replace(source: str, chain: list[Literal], fragment: int, edits: Edits) -> None:
    if not chain:
        return
    start, end = chain[0].start, chain[-1].end
    if len(chain) == 1 and (chain[0].raw or _TELLING_ESCAPE.search(source, start, end) is None):
        return
    if end - start <= 2 * TEXT_LIMIT:
        edits.replace(start, end, quoted(literals_view(source, chain, fragment)))
