"""The grammar of what may stand where a secret stood: handles and redaction marks. Only exact matches are exempt.

Three shapes, each with check characters, so that neither a chance string nor a secret with a prefix glued on passes for
a handle: *text* (``qgh``, a body, 6 check characters, of the length that the vendor's keys have), *JWT* (issuer
``qguard``; the signature is the check, and the times can be read as a client needs them), *AWS* (``ASIAQGH``, a body, 6
check characters). A handle is no secret: outside of its kernel it opens nothing.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import json
import re
import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CHECK_LENGTH = 6
_PREFIX = "qgh"
_SHORTEST = len(_PREFIX) + 16 + _CHECK_LENGTH
_SHORTEST_MADE = len(_PREFIX) + 22 + _CHECK_LENGTH
"""22 characters of base 62 are 131 bits: not to be guessed."""
_LENGTH = 44
_HANDLE = re.compile(rf"{_PREFIX}[0-9A-Za-z]{{16,}}\Z")
_AWS_PREFIX, _AWS_LENGTH = "ASIAQGH", 20
_AWS = re.compile(rf"{_AWS_PREFIX}[A-Z2-7]{{13}}\Z")
_JWT_HEAD = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"qguard","typ":"JWT"}').rstrip(b"=").decode()
_JWT = re.compile(rf"{_JWT_HEAD}\.[A-Za-z0-9_-]{{60,160}}\.[A-Za-z0-9_-]{{43}}\Z")
HANDLE_IN_TEXT = re.compile(
    rf"{_PREFIX}[0-9A-Za-z]{{{_SHORTEST_MADE - len(_PREFIX)},}}|{_AWS_PREFIX}[A-Z2-7]{{13}}|{_JWT_HEAD}\."
)
"""What may be a handle somewhere inside a text, whole or not."""
MARK = re.compile(r"\[redacted(?::[a-z0-9][a-z0-9._/-]{0,127})?\]")
"""What redaction leaves behind."""


class HandleShape(enum.Enum):
    """What a handle looks like, so that clients which check their key take it."""

    TEXT = "text"
    JWT = "jwt"
    AWS = "aws"


def make_handle(shape: HandleShape, *, length: int = _LENGTH, issued: int = 0, until: int = 0) -> str:
    """A handle that nobody has yet, of at least 128 bits where the shape has room for them (AWS: 35, beside a secret).

    *length* is of text, in characters, and at least 31; *issued* and *until*, in seconds since the epoch, are of a JWT.
    """
    if shape is HandleShape.AWS:
        body = "".join(secrets.choice(_BASE32) for _ in range(_AWS_LENGTH - len(_AWS_PREFIX) - _CHECK_LENGTH))
        return f"{_AWS_PREFIX}{body}{_aws_check(body)}"
    if shape is HandleShape.JWT:
        claims = {"iss": "qguard", "iat": issued, "exp": until, "jti": secrets.token_urlsafe(16)}
        body = base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=").decode()
        return f"{_JWT_HEAD}.{body}.{_jwt_check(body)}"
    room = max(length, _SHORTEST_MADE) - len(_PREFIX) - _CHECK_LENGTH
    body = "".join(secrets.choice(_ALPHABET) for _ in range(room))
    return f"{_PREFIX}{body}{check_characters(body)}"


def check_characters(body: str) -> str:
    """The 6 check characters of a text handle's body: base 62 of a SHA-256."""
    return _digits(b"qguard handle 1\0" + body.encode("ascii"), _ALPHABET)


def is_handle(text: str) -> bool:
    """Whether *text* is exactly a handle with right check characters."""
    if text.startswith(_PREFIX):
        right = len(text) >= _SHORTEST and _HANDLE.match(text) is not None
        return right and check_characters(text[len(_PREFIX) : -_CHECK_LENGTH]) == text[-_CHECK_LENGTH:]
    if text.startswith(_AWS_PREFIX):
        right = _AWS.match(text) is not None
        return right and _aws_check(text[len(_AWS_PREFIX) : -_CHECK_LENGTH]) == text[-_CHECK_LENGTH:]
    if text.startswith(_JWT_HEAD) and _JWT.match(text):
        _, body, check = text.split(".")
        return _jwt_check(body) == check
    return False


def is_mark(text: str) -> bool:
    """Whether *text* is exactly a redaction mark."""
    return MARK.fullmatch(text) is not None


def _aws_check(body: str) -> str:
    return _digits(b"qguard aws handle 1\0" + body.encode("ascii"), _BASE32)


def _jwt_check(body: str) -> str:
    digest = hashlib.sha256(b"qguard jwt handle 1\0" + body.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _digits(text: bytes, alphabet: str) -> str:
    number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
    out = ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(alphabet))
        out += alphabet[digit]
    return out
