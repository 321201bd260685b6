"""Signed statements about the chain: how far it went, and which part of it was removed on purpose.

The chain alone shows that a record was changed, not that the last ones are gone. A checkpoint says, signed, that
record N had hash H at some time: a log that ends before N, or has another record there, is not the one that was
written. A retention statement says that everything up to N was removed, so that what is left still begins somewhere.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from jupyter_qguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTEXT = b"jupyter-qguard audit statement 1\n"
"""Stands before what is signed, so that no other signature by this key can be passed off as a statement."""
_encoder = msgspec.json.Encoder(order="sorted")


class StatementKind(enum.Enum):
    """What a statement says."""

    CHECKPOINT = "checkpoint"
    """Record ``sequence`` has ``hash`` and ends at ``offset`` of ``segment``."""
    RETENTION = "retention"
    """All records up to ``sequence``, whose hash was ``hash``, were removed; ``segment`` is the first that is left."""


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of ``checkpoints.jsonl``."""

    version: int = 1
    kind: StatementKind
    index: int
    """From 1, without gaps."""
    log: str
    """Random name of the log: the ``previous`` of its first record."""
    sequence: int
    hash: str
    segment: str
    offset: int = 0
    time: str
    key: str = ""
    """Fingerprint of the public key."""
    signature: str = ""


_decoder = msgspec.json.Decoder(Statement)


class Signer:
    """Holds the private key of a log."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        """Sign with *private*."""
        self._private = private
        self.public = private.public_key()

    def __repr__(self) -> str:
        return f"Signer({key_fingerprint(self.public)})"

    def sign(self, statement: Statement) -> Statement:
        """*statement* with key and signature."""
        named = msgspec.structs.replace(statement, key=key_fingerprint(self.public), signature="")
        signature = self._private.sign(_signed_bytes(named))
        return msgspec.structs.replace(named, signature=base64.b64encode(signature).decode())


def is_signed_by(statement: Statement, public: Ed25519PublicKey) -> bool:
    """Whether *statement* carries a good signature of *public*."""
    try:
        signature = base64.b64decode(statement.signature, validate=True)
        public.verify(signature, _signed_bytes(msgspec.structs.replace(statement, signature="")))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return statement.key == key_fingerprint(public)


def key_fingerprint(public: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, 32 hexadecimal digits of it."""
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:32]


def encode_statement(statement: Statement) -> bytes:
    """The line of *statement*."""
    return _encoder.encode(statement) + b"\n"


def decode_statements(lines: Iterable[bytes]) -> tuple[list[Statement], int]:
    """The statements in *lines*, up to the first that is none; and how many lines are left from there."""
    found: list[Statement] = []
    left = list(lines)
    for number, line in enumerate(left):
        try:
            found.append(_decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return found, len(left) - number
    return found, 0


def new_private_key() -> bytes:
    """A new key, as PEM (PKCS #8, not encrypted: the file's mode protects it)."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_private_key(pem: bytes) -> Ed25519PrivateKey:
    """The private key in *pem*.

    Raises
    ------
    InputError
        It is no Ed25519 key.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        message = "not a private Ed25519 key in PEM form"
        raise InputError(message)
    return key


def public_pem(public: Ed25519PublicKey) -> bytes:
    """*public* as PEM."""
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_public_key(pem: bytes) -> Ed25519PublicKey:
    """The public key in *pem*; of a private key the public half.

    Raises
    ------
    InputError
        It is no Ed25519 key.
    """
    if b"PRIVATE KEY" in pem:
        return load_private_key(pem).public_key()
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        message = "not a public Ed25519 key in PEM form"
        raise InputError(message)
    return key


def _signed_bytes(statement: Statement) -> bytes:
    return _CONTEXT + _encoder.encode(statement)
