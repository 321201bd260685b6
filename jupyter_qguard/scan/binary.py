"""Tells binary files from text, and finds the text in them: a key that lies in one in the clear lies in the clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.wide import HEAD, Wide, is_strange, wide_of

if TYPE_CHECKING:
    from mmap import mmap

LARGEST_BINARY = 16 << 20
"""Bytes of a binary file up to which the text in it is looked at: one full of names takes a second for each 5 MB."""
_PIECES = 16
_PIECE = 4096
"""Bytes. A file is judged by that many such pieces beside its head: formats of data may begin with pages of text."""
_MOST_NULS = 0.9
_MOSTLY_TEXT = (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde", b"SQLite format 3\0")
"""What binary files begin with that may hold little but text: compiled translations of gettext, databases."""
_TEXT = rb"[\t\n\r -~]"
_RUN = re.compile(_TEXT + rb"{16,}")
"""The shortest token has 16 characters."""
_WIDE_RUN = re.compile(rb"(?:%(text)b\0){15,}%(text)b|(?:%(text)b\0{3}){15,}%(text)b" % {b"text": _TEXT})
_BETWEEN = b"\n\n"


def is_binary(data: bytes | mmap) -> bool:
    """Whether a file is no text.

    A text may have a few NUL bytes, in a log whose disk was full or to mislead somebody; a binary file has much else that
    no text has.
    """
    sample = _sample(data)
    nuls = sample.count(0)
    if nuls == 0:
        return False
    if nuls < len(sample) * _MOST_NULS and not sample.startswith(_MOSTLY_TEXT) and not is_strange(sample):
        return False
    return wide_of(sample[:HEAD], is_whole=False) is None


def narrow_runs(data: bytes) -> str:
    """The runs of ASCII in *data*, as ``strings`` shows them."""
    return _BETWEEN.join(_RUN.findall(data)).decode("ascii")


def wide_runs(data: bytes, apart_from: Wide | None = None) -> str:
    """The runs of ASCII in *data* that are written in UTF-16 or UTF-32; without those of the text *apart_from*, if that is
    what *data* is read as."""
    unit, place = (apart_from.unit, apart_from.place) if apart_from else (1, -1)
    runs = (match.group() for match in _WIDE_RUN.finditer(data) if match.start() % unit != place)
    return _BETWEEN.join(run.replace(b"\0", b"") for run in runs).decode("ascii")


def _sample(data: bytes | mmap) -> bytes:
    size = len(data)
    if size <= HEAD + _PIECES * _PIECE:
        return data[:size]
    step = (size - HEAD - _PIECE) // (_PIECES - 1)
    starts = range(HEAD, HEAD + _PIECES * step, step)
    return data[:HEAD] + b"".join(data[start : start + _PIECE] for start in starts)
