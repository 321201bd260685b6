"""Makes the raw bytes of JSON readable for a look at them, without parsing: good enough to tell what is not there."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyter_qguard.scan.payload import is_binary_base64

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEPARATOR = b"\x1e"
"""Stands between parts; JSON has no such character outside of an escape."""
_IMAGE = re.compile(rb'"image/(?!svg)[a-z0-9.+-]{1,32}"\s*:\s*"')
_CONTROL = re.compile(rb"\\u001[bB]\[[0-?]*[ -/]*[@-~]")
_ASCII = re.compile(rb"\\u00([2-7][0-9a-fA-F])")
_NO_BACKSLASH = bytes(0x20 if byte == 0x5C else byte for byte in range(256))
_CONTINUATION = bytes(range(0x80, 0xC0))
_TYPE = re.compile(rb'"cell_type"')
_CODE = re.compile(rb'"cell_type"\s*:\s*"code"')
_RUN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/-"
_LONGEST_RUN = 512
_PIECE = 1 << 16
_LONGEST_KEY = 16


class RawParts:
    """Parts of a JSON document as one text, in the forms that a look at it needs. All have the same offsets."""

    def __init__(self, parts: Sequence[Any]) -> None:
        """*parts*: bytes, or what can be joined to bytes."""
        self.number = len(parts)
        self._readable = readable(_SEPARATOR.join(parts))
        self._code: dict[int, bool] = {}
        self.data = self._readable.translate(_NO_BACKSLASH, _CONTINUATION)
        """One byte a code point, and a blank for each backslash: what follows one may begin a word."""

    @cached_property
    def _points(self) -> bytes:
        """One byte a code point, with backslashes, which tell an escape from a letter."""
        return self._readable if self._readable.isascii() else self._readable.translate(None, _CONTINUATION)

    @cached_property
    def _ends(self) -> list[int]:
        return [*(match.start() for match in re.finditer(_SEPARATOR, self.data)), len(self.data)]

    def is_utf8(self) -> bool:
        """Whether it is. In pieces: to make one string of it all would take longer than everything else here."""
        if self._readable.isascii():
            return True
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for at in range(0, len(self._readable), _PIECE):
                decoder.decode(self._readable[at : at + _PIECE])
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True

    def part(self, position: int) -> int:
        """The number of the part that *position* is in."""
        return bisect_left(self._ends, position)

    def bounds(self, part: int) -> tuple[int, int]:
        """Where a part starts and ends."""
        return (self._ends[part - 1] + 1 if part else 0), self._ends[part]

    def window(self, start: int, end: int) -> str:
        """The text from *start*, or from the beginning if that is negative, to *end*. Only ASCII is as it was."""
        return self._points[max(0, start) : end].decode("latin-1")

    def run_before(self, end: int) -> str:
        """The run of letters, digits and signs of base64 that ends at *end*, or its last part if it is very long."""
        window = self._points[max(0, end - _LONGEST_RUN) : end]
        start = len(window.rstrip(b"=").rstrip(_RUN_BYTES))
        start += window[start - 1 : start] == b"\\"  # the letter of an escape
        return window[start:].decode("ascii")

    def is_code(self, part: int) -> bool:
        """Whether a part is a code cell, or none that says what it is."""
        known = self._code.get(part)
        if known is None:
            bounds = self.bounds(part)
            known = _CODE.search(self.data, *bounds) is not None or _TYPE.search(self.data, *bounds) is None
            self._code[part] = known
        return known

    def source(self, part: int) -> int:
        """A position before which nothing of a cell's source stands. Notebooks have it behind the outputs, mostly."""
        start, end = self.bounds(part)
        return max(start, self.data.find(b'"source"', start, end))

    def is_number_of_a_cell(self, end: int, run: str) -> bool:
        """Whether *run*, which ends at *end*, is what notebooks call their cells by."""
        start = end - len(run)
        return self._points[max(0, start - _LONGEST_KEY) : start].rstrip(b' "').endswith((b'"id":', b'"outputId":'))


def readable(data: bytes) -> bytes:
    """*data* without terminal colours, and with ASCII that is written as an escape as itself."""
    if b"\\u00" in data:  # the literal that an expression begins with is what makes it fast
        data = _CONTROL.sub(b"", data).replace(b"\\\\u00", b"\\u00")
        data = _ASCII.sub(lambda match: bytes((int(match.group(1), 16),)), data)
    return data


def without_images(data: bytes) -> bytes:
    """*data* without the base64 of images: what is no image is left. JSON stays JSON, and what is none stays none."""
    kept: list[bytes] = []
    done = at = 0
    while (at := data.find(b'"image/', at)) >= 0:
        match = _IMAGE.match(data, at)
        if match is None:
            at += 1
            continue
        at = match.end()
        end = data.find(b'"', at)
        body = data[at:end]
        if end >= 0 and is_binary_base64(body, escaped=True) and body.count(b"\\") == body.count(b"\\n"):
            kept.append(data[done:at])
            done = at = end
    kept.append(data[done:])
    return b"".join(kept)
