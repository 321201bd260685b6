"""Reads columns of text tables: tabs (from HTML), pipes and boxes, commas, aligned columns (pandas, ``%whos``).

A heading that names a credential makes every value below it, in its column, a named value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ROWS = 2000
_READ_EACH = 8
_SEPARATORS = ("\t", "|", "│", "┃", ",", ";")
_RULE = re.compile(r"[\s|+:=─━┼┿┄│┃║╪╋┡┩╇└┴┘├┤┬┌┐-]*\Z")
_CELL = re.compile(r"\S+(?: \S+)*")
_HEADINGS = re.compile(
    r"\s*[A-Za-z_][\w.-]{0,48}(?: [\w.-]{1,24})?(?:\s{2,}[A-Za-z_][\w.-]{0,48}(?: [\w.-]{1,24})?)+\s*\Z"
)
_NAME_LIST = re.compile(r"\s*[\"']?[A-Za-z_][\w .-]{0,48}[\"']?(?:[,;]\s?[\"']?[A-Za-z_][\w .-]{0,48}[\"']?)+\s*\Z")
_TRIM = " *`\"'\\"
_LONGEST_BESIDE = 24
"""A heading may be longer than the name in it by so much: ``API key (prod)``."""
_MOST_BLANKS = 3
_MOST_ABOVE = 2
_LONGEST_HEADING = 8192


@dataclass(slots=True)
class Rows:
    """How many rows may still be read: a text full of headings must not make the scan quadratic."""

    left: int

    @classmethod
    def of(cls, text: str) -> Rows:
        """Enough for each line of *text* to stand below several headings."""
        return cls(1000 + _READ_EACH * text.count("\n"))

    def take(self) -> Iterator[None]:
        """One step for each row of a table that may be read."""
        for _ in range(min(MOST_ROWS, self.left)):
            self.left -= 1
            yield


def column_below(
    text: str, low: int, high: int, start: int, end: int, *, code: bool, rows: Rows
) -> Iterator[tuple[int, int]]:
    """Spans of the cells below the heading at ``text[start:end]``, within ``text[low:high]``.

    Yields nothing where the heading's line is no line of a table; in *code* only comma-separated values are one.
    """
    line_start = text.rfind("\n", max(low, start - _LONGEST_HEADING), start) + 1 or low
    line_end = text.find("\n", end, min(high, end + _LONGEST_HEADING))
    if line_end < 0 or line_end - line_start > _LONGEST_HEADING:
        return
    heading = text[line_start:line_end]
    for separator in ",;" if code else _SEPARATORS:
        if separator in heading:
            if separator in ",;" and not _NAME_LIST.match(heading):
                continue
            if not _names_column(heading, separator, start - line_start, end - line_start):
                return
            if _is_deep(text, low, line_start, separator):
                return
            column = heading[: start - line_start].count(separator)
            yield from _separated(text, line_end + 1, high, separator, column, heading.count(separator), rows)
            return
    if not code and _HEADINGS.match(heading) and (start == line_start or "  " in heading.strip()):
        yield from _aligned(text, line_end + 1, high, start - line_start, end - line_start, rows)


def _names_column(heading: str, separator: str, start: int, end: int) -> bool:
    """Whether the name at ``heading[start:end]`` is what its cell says, and not a word of a sentence in it."""
    stop = heading.find(separator, end)
    cell = heading[heading.rfind(separator, 0, start) + 1 : stop if stop >= 0 else len(heading)].strip(_TRIM)
    return len(cell) <= end - start + _LONGEST_BESIDE and cell.count(" ") <= _MOST_BLANKS and cell[-1:] not in ".!?"


def _is_deep(text: str, low: int, line_start: int, separator: str) -> bool:
    """Whether more than two rows of a table stand above: what is there is no heading."""
    at = line_start
    for _ in range(_MOST_ABOVE + 1):
        if at <= low:
            return False
        before = text.rfind("\n", low, at - 1) + 1 or low
        line = text[before : at - 1]
        if separator not in line or _RULE.match(line):
            return False
        at = before
    return True


def _separated(
    text: str, at: int, high: int, separator: str, column: int, width: int, rows: Rows
) -> Iterator[tuple[int, int]]:
    for _ in rows.take():
        stop = text.find("\n", at, high)
        stop = high if stop < 0 else stop
        line = text[at:stop]
        found = separator if separator in line else "│" if separator == "┃" and "│" in line else ""
        if not found:
            if line.strip() and not _RULE.match(line):
                return
        elif not _RULE.match(line):
            more = line.count(found) - width
            # Cells that span rows leave out the first ones of the rows below, so that tabs are counted from the right.
            place = column + more if found == "\t" else column
            cells = line.split(found)
            if (0 if found in ",;" else -1 if found != "\t" else -3) <= more <= (found not in ",;") and (
                0 <= place < len(cells)
            ):
                yield from _trimmed(text, at + sum(len(cell) + 1 for cell in cells[:place]), len(cells[place]))
        at = stop + 1
        if at >= high:
            return


def _aligned(text: str, at: int, high: int, start: int, end: int, rows: Rows) -> Iterator[tuple[int, int]]:
    """Cells whose columns overlap with those of the heading, until a line that is blank or has one cell only."""
    for _ in rows.take():
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
