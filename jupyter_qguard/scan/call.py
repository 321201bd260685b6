"""Reads calls: which one a place is in, its dotted name, and the strings given to its parameters."""

from __future__ import annotations

import re

from jupyter_qguard.scan.value import read_value

_BRACKET = re.compile(r"[()\[\]{}]")
_STRUCTURE = re.compile(r"[()\[\]{},]")
_DEEPEST = 32
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*\s*\Z")
_ARGUMENT_NAME = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_]*\s*=(?!=)")
_STRINGS = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)")


def enclosing_call(text: str, low: int, at: int) -> str:
    """Dotted name of the call that *at* is an argument of, empty if it is none. Looks back 4000 characters."""
    depth = 0
    for bracket in reversed(list(_BRACKET.finditer(text, max(low, at - 4000), at))):
        if bracket.group() in ")]}":
            depth += 1
        elif depth:
            depth -= 1
        elif bracket.group() == "(":
            return called_name(text, low, bracket.start())
    return ""


def called_name(text: str, low: int, parenthesis: int) -> str:
    """The dotted name directly before an opening parenthesis."""
    match = _DOTTED.search(text, max(low, parenthesis - 120), parenthesis)
    return re.sub(r"\s+", "", match.group()) if match else ""


def positional_argument(text: str, high: int, start: int, position: int) -> tuple[int, int] | None:
    """Span of the string that is the *position*-th positional argument of the call whose arguments start at *start*."""
    at, depth, number = start, 0, 0
    limit = min(high, start + 4000)
    first = True
    while at < limit:
        if first:
            first = False
            if _ARGUMENT_NAME.match(text, at, limit):
                return None
            skip = re.compile(r"(?:\s|#[^\n]*\n)*").match(text, at, limit)
            value = read_value(text, skip.end() if skip else at, limit, quoted_only=True)
            if number == position:
                return value[:2] if value else None
            if value:
                at = value[1]
        step = _STRUCTURE.search(text, at, limit)
        if step is None:
            return None
        at = step.end()
        if step.group() in "([{":
            depth += 1
        elif step.group() in ")]}":
            depth -= 1
        elif depth == 0:
            number += 1
            first = True
        if not 0 <= depth <= _DEEPEST:
            return None
    return None


def keyword_argument(text: str, high: int, start: int, name: str) -> tuple[int, int] | None:
    """Span of the string given as *name* to the call whose arguments start at *start*; looks 1000 characters ahead."""
    match = re.compile(rf"\b{re.escape(name)}\s{{0,4}}=\s{{0,4}}(?=[^=])").search(text, start, min(high, start + 1000))
    if match is None or ")" in _STRINGS.sub("", text[start : match.start()]):
        return None
    value = read_value(text, match.end(), high, quoted_only=True)
    return value[:2] if value else None
