"""The encoding of text files: UTF-16 by its mark, else UTF-8. What is read can be written back byte for byte."""

from __future__ import annotations

import codecs

from jupyter_qguard.errors import InputError

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SNIFF = 65536
"""Bytes among which a NUL tells a binary file."""


def decode_text(data: bytes) -> str:
    """The text of a file. Bytes that are not UTF-8 become lone surrogates, so that offsets stay and nothing is lost.

    Raises
    ------
    InputError
        The file is binary: it has NUL bytes and is not UTF-16.
    """
    mark, codec = _utf16(data)
    if mark:
        try:
            return data[len(mark) :].decode(codec)
        except UnicodeDecodeError:
            message = "not text: it starts like UTF-16 and is none"
            raise InputError(message) from None
    if b"\0" in data[:_SNIFF]:
        message = "not text: it has NUL bytes"
        raise InputError(message)
    return data.decode("utf-8", "surrogateescape")


def encode_text(text: str, original: bytes) -> bytes:
    """*text* in the encoding that *original* was decoded from."""
    mark, codec = _utf16(original)
    return mark + text.encode(codec) if mark else text.encode("utf-8", "surrogateescape")


def _utf16(data: bytes) -> tuple[bytes, str]:
    """The mark of UTF-16 that *data* begins with, and its codec; empty if it has none.

    A mark before bytes without any NUL lies: no ASCII, blanks and line ends included, is written in UTF-16 without one,
    and read as UTF-16 the secret in such bytes would be Chinese.
    """
    marked = ((mark, codec) for mark, codec in _MARKS if data.startswith(mark) and b"\0" in data)
    return next(marked, (b"", ""))
