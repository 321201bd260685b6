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
    if _BINARY_MIME.match(mime) is None or not text.isascii():
        return False
    if text.encode("ascii").translate(None, _BASE64_BYTES):
        return False
    head = decode_base64(re.sub(r"\s", "", text[: _HEAD * 2])[:_HEAD])
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
