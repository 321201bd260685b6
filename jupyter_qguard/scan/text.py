"""The text of files: UTF-16 and UTF-32, else UTF-8. What is read can be written back byte for byte."""

from __future__ import annotations

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.binary import is_binary
from jupyter_qguard.scan.wide import wide_of


def decode_text(data: bytes) -> str:
    """The text of a file. Bytes that are not UTF-8 become lone surrogates, so that offsets stay and nothing is lost.

    Raises
    ------
    InputError
        The file is binary.
    """
    wide = wide_of(data)
    if wide is not None:
        return data[len(wide.mark) : wide.end(data)].decode(wide.codec)
    if is_binary(data):
        message = "not text: it is a binary file"
        raise InputError(message)
    return data.decode("utf-8", "surrogateescape")


def encode_text(text: str, original: bytes) -> bytes:
    """*text* in the encoding that *original* was decoded from."""
    wide = wide_of(original)
    if wide is None:
        return text.encode("utf-8", "surrogateescape")
    return wide.mark + text.encode(wide.codec) + original[wide.end(original) :]
