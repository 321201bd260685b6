"""Reads columns of text tables: tabs (from HTML), pipes and boxes, commas, aligned columns (pandas, ``%whos``).

A heading that names a credential makes every value below it, in its column, a named value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ROWS = 2000
_SEPARATORS = ("\t", "|", "│", "┃", ",", ";")
_RULE = re.compile(r"[\s|+:=─━┼┿┄│┃║╪╋┡┩╇└┴┘├┤┬┌┐-]*\Z")
_CELL = re.compile(r"\S+(?: \S+)*")
_HEADINGS = re.compile(
    r"\s*[A-Za-z_][\w.-]{0,48}(?: [\w.-]{1,24})?(?:\s{2,}[A-Za-z_][\w.-]{0,48}(?: [\w.-]{1,24})?)+\s*\Z"
)
_NAME_LIST = re.compile(r"\s*[\"']?[A-Za-z_][\w .-]{0,48}[\"']?(?:[,;]\s?[\"']?[A-Za-z_][\w .-]{0,48}[\"']?)+\s*\Z")
_TRIM = " *`\"'\\"


def column_below(text: str, low: int, high: int, start: int, end: int, *, code: bool) -> Iterator[tuple[int, int]]:
    """Spans of the cells below the heading at ``text[start:end]``, within ``text[low:high]``.

    Yields nothing where the heading's line is no line of a table; in *code* only comma-separated values are one.
    """
    line_start = text.rfind("\n", low, start) + 1 or low
    line_end = text.find("\n", end, high)
    if line_end < 0:
        return
    heading = text[line_start:line_end]
    for separator in ",;" if code else _SEPARATORS:
        if separator in heading:
            if separator in ",;" and not _NAME_LIST.match(heading):
                continue
            column = heading[: start - line_start].count(separator)
            yield from _separated(text, line_end + 1, high, separator, column, heading.count(separator))
            return
    if not code and _HEADINGS.match(heading) and (start == line_start or "  " in heading.strip()):
        yield from _aligned(text, line_end + 1, high, start - line_start, end - line_start)


def _separated(text: str, at: int, high: int, separator: str, column: int, width: int) -> Iterator[tuple[int, int]]:
    for _ in range(MOST_ROWS):
        stop = text.find("\n", at, high)
        stop = high if stop < 0 else stop
        line = text[at:stop]
        found = separator if separator in line else "│" if separator == "┃" and "│" in line else ""
        if not found:
            if line.strip() and not _RULE.match(line):
                return
        elif not _RULE.match(line) and abs(line.count(found) - width) <= (0 if found in ",;" else 1):
            cells = line.split(found)
            if column < len(cells):
                yield from _trimmed(text, at + sum(len(cell) + 1 for cell in cells[:column]), len(cells[column]))
        at = stop + 1
        if at >= high:
            return


def _aligned(text: str, at: int, high: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cells whose columns overlap with those of the heading, until a line that is blank or has one cell only."""
    for _ in range(MOST_ROWS):
        stop = text.find("\n", at, high)
        stop = high if stop < 0 else stop
        line = text[at:stop]
        if not line.strip():
            return
        for match in re.finditer(r"\S+", line):
            if match.start() < end and match.end() > start:
                yield from _trimmed(text, at + match.start(), match.end() - match.start())
        at = stop + 1
        if at >= high:
            return


def _trimmed(text: str, start: int, length: int) -> Iterator[tuple[int, int]]:
    cell = text[start : start + length]
    body = cell.strip(_TRIM)
    if body:
        offset = cell.find(body)
        yield start + offset, start + offset + len(body)
