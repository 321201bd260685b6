"""Bytes from text and back, and the encodings that a notebook may hold a value in. Nothing is executed."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import Constant, Kind, decoded, runs_of, string
from jupyter_qguard.scan.fold.strings import converted
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

_ASCII = frozenset(("ascii", "us_ascii"))
_UTF8 = frozenset(("utf_8", "utf8", "u8"))
_LATIN = frozenset(("latin_1", "latin1", "iso_8859_1", "iso8859_1", "l1"))
_ROTATED = frozenset(("rot13", "rot_13"))
_ASCII_RUN = re.compile(r"[\x00-\x7f]+|[\s\S]")
_BINARY: dict[str, Callable[[bytes], bytes]] = {
    "b64decode": base64.b64decode,
    "standard_b64decode": base64.b64decode,
    "urlsafe_b64decode": base64.urlsafe_b64decode,
    "decodebytes": base64.b64decode,
    "a2b_base64": base64.b64decode,
    "b32decode": base64.b32decode,
    "b16decode": base64.b16decode,
    "b85decode": base64.b85decode,
    "a85decode": base64.a85decode,
    "unhexlify": binascii.unhexlify,
    "a2b_hex": binascii.unhexlify,
    "fromhex": lambda data: bytes.fromhex(data.decode("ascii")),
}
_CODECS = {"hex": "unhexlify", "hex_codec": "unhexlify", "base64": "b64decode", "base64_codec": "b64decode"}
DECODERS = frozenset(_BINARY)
"""Functions, by the last part of their name, that :func:`decode_binary` knows."""


def decode_binary(name: str, value: Constant) -> Constant | None:
    """The bytes that an encoded text or bytes stand for. Any part of them stands for all that was encoded."""
    decoder = _BINARY.get(name)
    if decoder is None or not value.is_string:
        return None
    try:
        data = decoder(value.text.encode("latin-1"))
    except (ValueError, UnicodeError):  # binascii.Error is a ValueError
        return None
    return string(decoded(data.decode("latin-1"), runs_of(value.view)), Kind.BYTES)


def encode(value: Constant, codec: str) -> Constant | None:
    """As ``value.encode(codec)``; the codecs of Python 2 that give bytes are known as well."""
    name = _normal(codec)
    if name in _ROTATED:
        return rotated(value)
    if value.kind is not Kind.TEXT:
        return None
    if value.text.isascii() and name in _ASCII | _UTF8 | _LATIN:
        return Constant(value.view, Kind.BYTES)
    if name in _LATIN:
        return Constant(value.view, Kind.BYTES) if max(value.text) <= "\xff" else None
    if name not in _UTF8:
        return None
    builder = ViewBuilder()
    for match in _ASCII_RUN.finditer(value.text):
        _append(builder, match.group().encode("utf-8", "replace").decode("latin-1"), value.view, *match.span())
    return string(builder.build(), Kind.BYTES)


def decode(value: Constant, codec: str) -> Constant | None:
    """As ``value.decode(codec)`` or ``codecs.decode(value, codec)``."""
    name = _normal(codec)
    if name in _ROTATED:
        return rotated(value)
    if name in _CODECS:
        return decode_binary(_CODECS[name], value)
    if value.kind is not Kind.BYTES:
        return None
    if name in _LATIN or (value.text.isascii() and name in _ASCII | _UTF8):
        return Constant(value.view)
    return _decode_utf8(value.view) if name in _UTF8 | _ASCII else None


def rotated(value: Constant) -> Constant:
    """ROT13, which keeps every character's place."""
    return Constant(converted(value.view, lambda text: codecs.encode(text, "rot13")), value.kind)


def readable(value: Constant) -> View | None:
    """The characters of a string constant as a reader would print them; None if it is not text."""
    if value.kind is Kind.TEXT:
        return value.view
    text = decode(value, "utf-8")
    if text is None or not all(char.isprintable() or char in "\t\n\r" for char in text.text):
        return None
    return text.view


def _decode_utf8(view: View) -> Constant | None:
    try:
        text = view.text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    builder = ViewBuilder()
    at = 0
    for match in _ASCII_RUN.finditer(text):
        end = at + len(match.group().encode("utf-8"))
        _append(builder, match.group(), view, at, end)
        at = end
    return string(builder.build())


def _append(builder: ViewBuilder, text: str, view: View, start: int, end: int) -> None:
    if len(text) == end - start:
        builder.append_slice(view, start, end)
    else:
        piece = decoded(text, view.origins(start, end))
        builder.append_slice(piece, 0, len(text))


def _normal(codec: str) -> str:
    return codec.strip().lower().replace("-", "_").replace(" ", "_")
