"""Filters a stream of text as it comes: what a line shows is out as soon as the line is whole.

A line ends with a line feed or, for progress bars, a carriage return. Held back for longer is only a key file (PEM)
from its first line to its last, and a line that a backslash continues, up to a limit. A line beyond the limit is parted
between two words, never within one; the accepted loss is that a name can be parted from its value there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from jupyter_qguard.cli.clean import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.scan import Scanner

LONGEST_HELD = 1 << 20
"""Bytes held back at most; beyond, what there is of whole words is scanned and let go."""
_BEGIN = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_END = b"-----END "
_CHUNK = 1 << 16
_LONGEST_WORD = 1 << 14
_BREAKS = tuple(bytes([byte]) for byte in b" \t,;\"'(){}[]<>")


def redact_stream(scanner: Scanner, source: BinaryIO, target: BinaryIO) -> int:
    """Copy *source* to *target*, redacted. Returns the number of findings. Bytes that are no UTF-8 stay as they are."""
    found = 0
    for block in blocks(source):
        text = block.decode("utf-8", "surrogateescape")
        cleaned, count = clean_text(scanner, text)
        found += count
        target.write(cleaned.encode("utf-8", "surrogateescape"))
        target.flush()
    return found


def blocks(source: BinaryIO) -> Iterator[bytes]:
    """The stream in pieces that end with a line and hold key files whole."""
    held = b""
    read = getattr(source, "read1", source.read)
    while data := read(_CHUNK):
        held += data
        cut = _cut(held)
        if cut:
            yield held[:cut]
            held = held[cut:]
        elif len(held) > LONGEST_HELD:
            cut = _between_words(held)
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _between_words(held: bytes) -> int:
    """The end of the last whole word, or of all there is if that is one word."""
    start = len(held) - _LONGEST_WORD
    return max(held.rfind(each, start) for each in _BREAKS) + 1 or len(held)


def _cut(held: bytes) -> int:
    """How much can go: up to the last line end that is not within a key file nor continued."""
    cut = max(held.rfind(b"\n"), held.rfind(b"\r")) + 1
    while cut > 1 and held[:cut].rstrip(b"\r\n").endswith(b"\\"):
        cut = max(held.rfind(b"\n", 0, cut - 1), held.rfind(b"\r", 0, cut - 1)) + 1
    opened = [match.start() for match in _BEGIN.finditer(held, 0, cut)]
    if opened and held.find(_END, opened[-1], cut) < 0:
        cut = min(cut, max(held.rfind(b"\n", 0, opened[-1]) + 1, 0))
    return cut
