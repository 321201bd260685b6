"""On which line of the raw file a finding stands: where review tools show it."""

from __future__ import annotations

import json.decoder
import re
from functools import lru_cache
from pathlib import Path

from jupyter_qguard.cli.pool import FileResult
from jupyter_qguard.scan import Finding

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^,\]}\s]+")


def raw_line(file: FileResult, finding: Finding) -> int:
    """Line, from 1, in the raw file; the first line where it cannot be told (a file of the history, standard input)."""
    if not file.path.lower().endswith(".ipynb"):
        return finding.line
    if file.origin:
        return 1
    lines = string_lines(file.path)
    items = lines.get(finding.pointer) or lines.get(finding.pointer.rpartition("/")[0]) or (1,)
    return items[min(finding.line - 1, len(items) - 1)]


@lru_cache(maxsize=4)
def string_lines(path: str) -> dict[str, tuple[int, ...]]:
    """JSON pointer to the lines on which its string, or each item of its list, begins. Empty if it cannot be read."""
    try:
        text = Path(path).read_text("utf-8-sig")
        out: dict[str, tuple[int, ...]] = {}
        _Walker(text, out).value(_SPACE.match(text).end(), "")  # type: ignore[union-attr] # matches the empty string
    except (OSError, ValueError, IndexError, RecursionError, UnicodeError):
        return {}
    return out


class _Walker:
    """Walks JSON text that is known to be valid and notes where values begin."""

    def __init__(self, text: str, out: dict[str, tuple[int, ...]]) -> None:
        self._text = text
        self._out = out
        self._at = 0
        self._line = 1

    def _line_of(self, position: int) -> int:
        self._line += self._text.count("\n", self._at, position)
        self._at = position
        return self._line

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        return match.end() if match else position

    def value(self, at: int, pointer: str) -> int:
        """Walk the value at *at*; the position behind it."""
        char = self._text[at]
        self._out[pointer] = (self._line_of(at),)
        if char == '"':
            return json.decoder.scanstring(self._text, at + 1, False)[1]  # type: ignore[attr-defined,no-any-return]
        if char == "{":
            return self._object(at, pointer)
        if char == "[":
            return self._array(at, pointer)
        match = _SCALAR.match(self._text, at)
        return match.end() if match else at + 1

    def _object(self, at: int, pointer: str) -> int:
        at = self._skip(at + 1)
        while self._text[at] != "}":
            key, at = json.decoder.scanstring(self._text, at + 1, False)  # type: ignore[attr-defined]
            at = self._skip(self._skip(at) + 1)
            at = self._skip(self.value(at, pointer + "/" + key.replace("~", "~0").replace("/", "~1")))
            if self._text[at] == ",":
                at = self._skip(at + 1)
        return at + 1

    def _array(self, at: int, pointer: str) -> int:
        starts = []
        at = self._skip(at + 1)
        number = 0
        while self._text[at] != "]":
            starts.append(self._line_of(at))
            at = self._skip(self.value(at, f"{pointer}/{number}"))
            number += 1
            if self._text[at] == ",":
                at = self._skip(at + 1)
        if starts:
            self._out[pointer] = tuple(starts)
        return at + 1
