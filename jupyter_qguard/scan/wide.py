"""Recognises text in UTF-16 and UTF-32, with a mark or without one."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

HEAD = 1 << 16
"""Bytes at a file's start by which it is judged."""
_FEWEST_NULS = 0.2
"""Share of the characters that are ASCII, of a text without a mark. Any program and any configuration has more."""
_MOST_BROKEN = 0.02
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\b\x1b"))
"""What no text has. Colours of terminals begin with an escape, progress bars are full of backspaces."""
_MOST_STRANGE = 0.1
_MOST_STRANGE_UNMARKED = 0.01
"""Arrays of small numbers look like UTF-16, but for the smallest of them."""
_NULS = re.compile(rb"\0+")


@dataclass(frozen=True, slots=True)
class Wide:
    """An encoding with units of more than one byte."""

    codec: str
    unit: int
    """Bytes."""
    place: int
    """Which byte of the unit is the one of an ASCII character that is no NUL."""
    mark: bytes = b""
    """What the file begins with that is no text."""

    def end(self, data: bytes) -> int:
        """Where the last whole unit of *data* ends."""
        return len(data) - (len(data) - len(self.mark)) % self.unit

    def reads(self, data: bytes, *, is_whole: bool) -> bool:
        """Whether *data* is text in this encoding; a part of a file that is not *is_whole* may end in a character."""
        decoder = codecs.getincrementaldecoder(self.codec)()
        try:
            text = decoder.decode(data[len(self.mark) : self.end(data)], final=is_whole)
        except UnicodeDecodeError:
            return False
        most = _MOST_STRANGE if self.mark else _MOST_STRANGE_UNMARKED
        return not is_strange(text[:HEAD].encode("utf-8"), most)

    def fits(self, head: bytes) -> bool:
        """Whether the NUL bytes of a file's *head* stand where this encoding has them."""
        lanes = [head[at : self.end(head) : self.unit] for at in range(self.unit)]
        own = lanes.pop(self.place)
        return own.count(0) <= len(own) * _MOST_BROKEN and all(
            lane.count(0) > len(own) * _FEWEST_NULS for lane in lanes
        )


_MARKED = (
    Wide("utf-32-le", 4, 0, codecs.BOM_UTF32_LE),  # before UTF-16, whose mark it begins with
    Wide("utf-32-be", 4, 3, codecs.BOM_UTF32_BE),
    Wide("utf-16-le", 2, 0, codecs.BOM_UTF16_LE),
    Wide("utf-16-be", 2, 1, codecs.BOM_UTF16_BE),
)
_UNMARKED = tuple(Wide(each.codec, each.unit, each.place) for each in _MARKED)


def wide_of(data: bytes, *, is_whole: bool = True) -> Wide | None:
    """The encoding of wide text; None for everything else. *data* may be a file's head, if not *is_whole*.

    A mark before bytes without any NUL lies: no ASCII, blanks and line ends included, is written in UTF-16 without one,
    and read as UTF-16 the secret in such bytes would be Chinese.
    """
    if b"\0" not in data:
        return None
    head = data[:HEAD]
    likely = [wide for wide in _MARKED if head.startswith(wide.mark)] + [wide for wide in _UNMARKED if wide.fits(head)]
    return next((wide for wide in likely if wide.reads(data, is_whole=is_whole)), None)


def is_strange(sample: bytes, most: float = _MOST_STRANGE) -> bool:
    """Whether a share of *most* of *sample*, or more, is neither UTF-8 nor anything else that a text is written with.

    NUL bytes in a row count once: a log whose disk was full, or whose writer was killed, has a hole of them.
    """
    sample = _NULS.sub(b"\0", sample)
    broken = len(sample) - len(sample.decode("utf-8", "ignore").encode("utf-8"))
    control = len(sample) - len(sample.translate(None, _CONTROL))
    return broken + control >= max(1, len(sample) * most)
