"""The grammar of what may stand where a secret stood: handles and redaction marks. Only exact matches are exempt.

A text handle is ``qgh``, a body of letters and digits, and 6 check characters, so that neither a chance string nor a
secret with a prefix glued on passes for one. Handles of other shapes follow with the broker.
"""

from __future__ import annotations

import hashlib
import re

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK_LENGTH = 6
_PREFIX = "qgh"
_SHORTEST = len(_PREFIX) + 16 + _CHECK_LENGTH
_HANDLE = re.compile(rf"{_PREFIX}[0-9A-Za-z]{{16,}}\Z")
MARK = re.compile(r"\[redacted(?::[a-z0-9][a-z0-9._/-]{0,127})?\]")
"""What redaction leaves behind."""


def check_characters(body: str) -> str:
    """The 6 check characters of a handle's body: base 62 of a SHA-256."""
    number = int.from_bytes(hashlib.sha256(b"qguard handle 1\0" + body.encode("ascii")).digest()[:8], "big")
    out = ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        out += _ALPHABET[digit]
    return out


def is_handle(text: str) -> bool:
    """Whether *text* is exactly a handle with right check characters."""
    if len(text) < _SHORTEST or _HANDLE.match(text) is None:
        return False
    return check_characters(text[len(_PREFIX) : -_CHECK_LENGTH]) == text[-_CHECK_LENGTH:]


def is_mark(text: str) -> bool:
    """Whether *text* is exactly a redaction mark."""
    return MARK.fullmatch(text) is not None
