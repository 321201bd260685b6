"""Offsets of syntax nodes. ``ast`` gives lines and columns in bytes of UTF-8; the scanner counts code points."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

_LINE_END = re.compile(r"\r\n|\r|\n")


class Positions:
    """Turns positions in a parsed text into offsets of the source it is part of."""

    def __init__(self, text: str, base: int) -> None:
        """*text* is what was parsed; *base* is the offset in the source of its first character."""
        self._text = text
        self._base = base
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._ascii = text.isascii()
        self._wide: dict[int, tuple[list[int], list[int]]] = {}

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """Start and end of a node. Nodes of parsed text always have an end."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column)

    def _offset(self, line: int, column: int) -> int:
        if not self._ascii:
            column = self._characters(line, column)
        return self._base + self._starts[line - 1] + column

    def _characters(self, line: int, column: int) -> int:
        """Code points in the first *column* bytes of a line, by a table: lines may be as long as the cell."""
        table = self._wide.get(line)
        if table is None:
            end = self._starts[line] if line < len(self._starts) else len(self._text)
            table = self._wide[line] = _wide_characters(self._text[self._starts[line - 1] : end])
        ends, surplus = table
        return column - surplus[bisect_right(ends, column)]


def _wide_characters(line: str) -> tuple[list[int], list[int]]:
    """Byte offsets at which non-ASCII characters end, and by how much bytes outnumber characters before each."""
    ends: list[int] = []
    surplus = [0]
    extra = 0
    for index, char in enumerate(line):
        if char > "\x7f":
            extra += 1 if char < "\u0800" else 2 if char < "\U00010000" else 3
            ends.append(index + 1 + extra)
            surplus.append(extra)
    return ends, surplus
