"""Takes known values out of what a vendor answers, in the spellings that answers have, without changing any length.

A vendor may echo a request; the kernel must not read its key there. Masked in place, so that framing stays as it was.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.secret import SecretValue

_MASK = b"*"
_SHORTEST = 8
"""A shorter spelling would mask what is no secret."""


class Scrubber:
    """For one stream of bytes."""

    def __init__(self, values: Iterable[SecretValue]) -> None:
        """Mask each of *values*."""
        self._spellings = sorted({spelling for value in values for spelling in _spellings(value.reveal())}, key=len)
        self._held = b""

    def __repr__(self) -> str:
        """Without what it looks for."""
        return "Scrubber()"

    def feed(self, data: bytes) -> bytes:
        """What can go on of *data* and what was held back: all but an end that a value could begin with."""
        text = self.whole(self._held + data)
        keep = self._beginning(text)
        self._held = text[len(text) - keep :] if keep else b""
        return text[: len(text) - keep] if keep else text

    def end(self) -> bytes:
        """What was held back."""
        text, self._held = self._held, b""
        return text

    def whole(self, text: bytes) -> bytes:
        """*text* with each value masked."""
        for spelling in reversed(self._spellings):
            if spelling in text:
                text = text.replace(spelling, _MASK * len(spelling))
        return text

    def _beginning(self, text: bytes) -> int:
        """Length of the longest end of *text* that some value begins with."""
        longest = 0
        for spelling in self._spellings:
            tail = text[1 - len(spelling) :] if len(spelling) > 1 else b""
            at = tail.find(spelling[:1])
            while at >= 0:
                if spelling.startswith(tail[at:]):
                    longest = max(longest, len(tail) - at)
                    break
                at = tail.find(spelling[:1], at + 1)
        return longest


def _spellings(value: str) -> Iterable[bytes]:
    raw = value.encode()
    found = {raw, json.dumps(value)[1:-1].encode(), quote(value, safe="").encode(), raw.hex().encode(), raw[::-1]}
    found |= {raw.hex().upper().encode(), b"\0".join(raw[at : at + 1] for at in range(len(raw)))}  # the last: UTF-16
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * shift + raw).rstrip(b"=")
            # Characters that neighbours have a part in are left out: one at the end, and those of the shift.
            found.add(coded[-(-shift * 8 // 6) : len(coded) - 1])
    return (spelling for spelling in found if len(spelling) >= _SHORTEST)
