r"""Decodes the escape sequences of string literals (Python language reference, table "Escape sequences").

Every sequence is an opaque piece of its own; the characters between them map one to one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.scan.fold.literal import Literal

_SIMPLE = {"\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_COMMON = r"\\(?:(?P<simple>[\\'\"abfnrtv])|(?P<line>\r\n|\r|\n)|(?P<octal>[0-7]{1,3})|x(?P<x>[0-9A-Fa-f]{2})"
_TEXT = re.compile(
    _COMMON + r"|u(?P<u>[0-9A-Fa-f]{4})|U(?P<U>[0-9A-Fa-f]{8})|N\{(?P<name>[^{}]{1,120})\}|(?P<other>.))|(?P<cr>\r\n?)",
    re.DOTALL,
)
_BYTES = re.compile(_COMMON + r"|(?P<other>.))|(?P<cr>\r\n?)", re.DOTALL)
_RAW = re.compile(r"(?P<cr>\r\n?)")
_WIDE = {"x": 16, "u": 16, "U": 16, "octal": 8}
_SURROGATES = range(0xD800, 0xE000)


def append_body(
    builder: ViewBuilder, source: str, span: tuple[int, int], fragment: int, *, raw: bool = False, binary: bool = False
) -> None:
    """Append the decoded body ``source[start:end]`` of a literal.

    A lone surrogate becomes U+FFFD, since no engine takes it; an escape that does not exist stands for itself, as in
    Python.
    """
    start, end = span
    if source.find("\\", start, end) < 0 and source.find("\r", start, end) < 0:
        builder.append(source[start:end], fragment, start, end)
        return
    pattern = _RAW if raw else _BYTES if binary else _TEXT
    done = start
    for match in pattern.finditer(source, start, end):
        text = _decode(match, binary=binary)
        if text is None:
            continue
        low, high = match.span()
        builder.append(source[done:low], fragment, done, low)
        builder.append(text, fragment, low, high)
        done = high
    builder.append(source[done:end], fragment, done, end)


def decode_body(source: str, start: int, end: int, fragment: int, *, raw: bool = False, binary: bool = False) -> View:
    """The view of one literal's body."""
    builder = ViewBuilder()
    append_body(builder, source, (start, end), fragment, raw=raw, binary=binary)
    return builder.build()


def literals_view(source: str, literals: Sequence[Literal], fragment: int) -> View:
    """The value of adjacent literals that are not formatted."""
    builder = ViewBuilder()
    for literal in literals:
        span = (literal.body_start, literal.body_end)
        append_body(builder, source, span, fragment, raw=literal.raw, binary=literal.binary)
    return builder.build()


def _decode(match: re.Match[str], *, binary: bool) -> str | None:
    """What a sequence stands for, None for one that stands for itself."""
    kind = match.lastgroup or "other"
    found = match.group(kind)
    if kind == "simple":
        return _SIMPLE[found]
    if kind == "cr":
        return "\n"
    if kind == "line":
        return ""
    if kind in _WIDE:
        code = int(found, _WIDE[kind])
        if binary:
            return chr(code & 0xFF)
        return "\ufffd" if code in _SURROGATES or code > 0x10FFFF else chr(code)
    if kind == "name":
        try:
            return unicodedata.lookup(found)
        except KeyError:
            return None
    return None
