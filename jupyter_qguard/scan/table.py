"""Finds the heading of a column in text tables: tabs (from HTML), pipes (Markdown) and aligned columns (pandas)."""

from __future__ import annotations

import re

from jupyter_qguard.scan.names import Role, role

LONGEST_TABLE = 16384
"""Code points above a value in which its heading is looked for."""
_HEADING = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*(?: [A-Za-z0-9_\-]+)?")
_CREDENTIAL = re.compile(r"token|key|secret|passw|credential|pwd|auth", re.IGNORECASE)


def names_column(text: str, low: int, high: int, start: int, end: int) -> bool:
    """Whether the heading above ``text[start:end]``, within ``text[low:high]``, names a credential."""
    low = max(low, start - LONGEST_TABLE)
    above = text[low:start]
    if "\n" not in above or _CREDENTIAL.search(above) is None:
        return False
    line_start = low + above.rfind("\n") + 1
    line_end = text.find("\n", end, high)
    line = text[line_start : line_end if line_end >= 0 else high]
    lines = text[low : max(line_start - 1, low)].split("\n")
    for separator in ("\t", "|"):
        if separator in line:
            column = text[line_start:start].count(separator)
            return any(_heads(row.split(separator), column) for row in reversed(lines) if separator in row)
    return _is_aligned(lines, start - line_start, end - line_start)


def _heads(cells: list[str], column: int) -> bool:
    return column < len(cells) and _is_credential(cells[column])


def _is_credential(heading: str) -> bool:
    name = heading.strip(" *_`:\"'").replace(" ", "_")
    return 0 < len(name) <= 48 and role(name) is not Role.NONE


def _is_aligned(lines: list[str], start: int, end: int) -> bool:
    """The nearest block above: a heading whose columns overlap with, or end at, those of the value."""
    for line in reversed(lines):
        if not line.strip():
            return False
        if len(line) < start or _CREDENTIAL.search(line) is None:
            continue
        for match in _HEADING.finditer(line):
            if match.start() < end and match.end() > start and _is_credential(match.group()):
                return True
    return False
