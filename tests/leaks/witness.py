"""Looks for values in whatever a kernel sent, wrote or held. It knows them; the kernel and what drives it do not."""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
from urllib.parse import quote

_SHORTEST = 16
"""Characters of a value that count as a leak of it, wherever they stand in it."""
_ESCAPE = re.compile(rb"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})|&#(\d{1,3});|&#x([0-9a-fA-F]{2});|%([0-9a-fA-F]{2})")
_ANSI = re.compile(rb"\\+(?:u001b|x1b|033)\[[0-9;]*m|\x1b\[[0-9;]*m")
_NOT_ALNUM = re.compile(rb"[^0-9A-Za-z]+")
_NUMBERS = re.compile(rb"(?:\b\d{2,3}\b(?:[\s,\\n\[\]()]|\\n)*){16,}")


class Witness:
    """For some values."""

    def __init__(self, *values: str) -> None:
        pieces = {value[at : at + _SHORTEST] for value in values for at in range(len(value) - _SHORTEST + 1)}
        self._plain = {piece.encode() for piece in pieces}
        self._folded = {piece.lower() for piece in self._plain}
        self._coded = {spelling for value in values for spelling in _spellings(value)}
        self._raw = re.compile(b"|".join(re.escape(each) for value in values for each in _windows(value.encode())))
        self._all = re.compile(b"|".join(map(re.escape, sorted(self._coded, key=len, reverse=True))))

    def sees(self, data: bytes) -> bool:
        """Whether a value, half of one, or an encoding of one is in *data*."""
        if self.sees_in_memory(data):
            return True
        bare = _ANSI.sub(b"", data)
        for text in (bare, _ESCAPE.sub(_decoded, bare), _NUMBERS.sub(_characters, bare)):
            # Nothing but letters and digits: what was split, joined by something, coloured, or a character a message.
            closed = _NOT_ALNUM.sub(b"", text).lower()
            if any(piece in closed or piece[::-1] in closed for piece in self._folded):
                return True
        return False

    def sees_in_memory(self, data: bytes) -> bool:
        """The same for much data: spellings in one piece only."""
        return bool(self._raw.search(data) or self._all.search(data))


def _windows(value: bytes) -> list[bytes]:
    return [value[at : at + _SHORTEST] for at in range(0, len(value) - _SHORTEST + 1, 4)]


def _spellings(value: str) -> set[bytes]:
    raw = value.encode()
    wide = value.encode("utf-16-le")
    found = {raw, raw[::-1], raw.upper(), raw.lower(), raw.hex().encode(), raw.hex().upper().encode(), wide}
    found |= {value.encode("utf-32-le"), codecs.encode(value, "rot13").encode(), quote(value).encode()}
    found |= {json.dumps(value)[1:-1].encode(), html.escape(value).encode(), base64.b85encode(raw)}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        found.add(coded[-(-shift * 8 // 6) : len(coded) - 1])
        # Of base32 the length of a block is five bytes: those shifts that a prefix of one or two letters makes.
        thirty_two = base64.b32encode(b"\0" * shift + raw).rstrip(b"=")
        found.add(thirty_two[-(-shift * 8 // 5) : len(thirty_two) - 2])
    return found


def _decoded(found: re.Match[bytes]) -> bytes:
    wide, narrow, decimal, sixteen, percent = found.groups()
    code = int(decimal) if decimal else int(wide or narrow or sixteen or percent, 16)
    return bytes([code]) if code < 128 else b" "


def _characters(found: re.Match[bytes]) -> bytes:
    return bytes(code for code in map(int, re.findall(rb"\d{2,3}", found[0])) if code < 128)
