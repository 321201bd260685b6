"""What becomes of a literal that is no part of a larger constant: neighbours joined, escapes decoded."""

from __future__ import annotations

import re

from jupyter_qguard.scan.fold.constant import TEXT_LIMIT
from jupyter_qguard.scan.fold.edits import Edits, quoted, widened
from jupyter_qguard.scan.fold.escapes import literals_view
from jupyter_qguard.scan.fold.literal import read_literals

_PLAIN = re.compile(
    r"[rRbBuU]{0,2}(?:'[^'\\\r]*'|\"[^\"\\\r]*\"|'''(?:[^'\\\r]|'(?!''))*'''|\"\"\"(?:[^\"\\\r]|\"(?!\"\"))*\"\"\")"
)
_TELLING_ESCAPE = re.compile(r"\\(?:[xuUN0-7'\"]|\r|\n)")
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_.~-]{16}")
_LARGEST = 16 * TEXT_LIMIT
"""Characters of a lone literal whose escapes are decoded."""


def replace_literal(source: str, start: int, end: int, fragment: int, edits: Edits) -> None:
    """Replace the literals of one string constant, if a reader would read something else than they show."""
    if _PLAIN.fullmatch(source, start, end):
        _ungroup(source, start, end, edits)
        return
    literals = read_literals(source, start, end) if end - start <= _LARGEST else None
    if literals is None or any(literal.parts is not None for literal in literals):
        return
    if len(literals) == 1 and not is_worth_decoding(source, start, end, raw=literals[0].raw):
        _ungroup(source, start, end, edits)
        return
    if len(literals) > 1 and end - start > 2 * TEXT_LIMIT:
        return
    edits.replace(*widened(source, start, end), quoted(literals_view(source, literals, fragment)))


def is_worth_decoding(source: str, start: int, end: int, *, raw: bool) -> bool:
    """Whether the escapes of a lone literal matter: they spell characters, or a line break stands beside a long word.

    Most escapes in notebooks are line breaks in what is printed; decoding those would double the text to be scanned.
    """
    if raw or source.find("\\", start, end) < 0:
        return False
    return _TELLING_ESCAPE.search(source, start, end) is not None or _LONG_WORD.search(source, start, end) is not None


def _ungroup(source: str, start: int, end: int, edits: Edits) -> None:
    """Take parentheses off that only group: ``token=("…")``."""
    if start and source[start - 1] in "( \t\r\n":
        low, high = widened(source, start, end)
        edits.remove(low, start)
        edits.remove(end, high)
