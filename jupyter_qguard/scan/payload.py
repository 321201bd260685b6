"""Tells binary payloads from text: images, fonts and archives are skipped, but only if that is what they are."""

from __future__ import annotations

import base64
import binascii
import re

_BINARY_MIME = re.compile(r"(?:image/(?!svg)|font/|audio/|video/|model/|application/(?:pdf|zip|gzip|octet-stream|x-))")
_BASE64_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\r\n\t "
_HEAD = 96
_TEXT_BYTES = bytes(range(32, 127)) + b"\r\n\t"


def is_binary_payload(mime: str, text: str) -> bool:
    """Whether *text* is the base64 of a binary of this media type, as its alphabet and its first bytes tell."""
    return _BINARY_MIME.match(mime) is not None and text.isascii() and is_binary_base64(text.encode("ascii"))


def is_binary_base64(data: bytes, *, escaped: bool = False) -> bool:
    """Whether *data* is base64, wrapped or not, and what it says is no text. *escaped*: line ends are JSON's escapes."""
    if data.translate(None, _BASE64_BYTES + b"\\" if escaped else _BASE64_BYTES):
        return False
    start = data[: _HEAD * 2]
    if escaped:
        start = start.replace(b"\\n", b"")
    head = decode_base64(start.translate(None, b"\r\n\t ")[:_HEAD].decode("ascii"))
    return head is not None and not is_text(head)


def decode_base64(run: str) -> bytes | None:
    """Decode standard or URL-safe base64, padded or not; None if it is none."""
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        return None
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_text(data: bytes) -> bool:
    """Whether bytes read as text: printable ASCII, or UTF-8 without control characters."""
    if not data.translate(None, _TEXT_BYTES):
        return True
    try:
        decoded = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\r\n\t" for char in decoded)
