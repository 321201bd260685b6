"""Which key belongs to which trail: to sign with, and to verify with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.audit.checkpoints import decode_statements, key_fingerprint, load_public_key
from jupyter_qguard.audit.folder import PUBLIC_KEY
from jupyter_qguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from jupyter_qguard.audit.checkpoints import Statement

_MAX_STATEMENTS = 64 << 20


def own_key(folder: Path, candidates: Iterable[Path]) -> Path | None:
    """The first of *candidates* that holds the key of the trail in *folder*; None for somebody else's trail."""
    theirs = _key_in(folder / PUBLIC_KEY)
    for path in candidates:
        mine = _key_in(path)
        if mine and theirs and key_fingerprint(mine) == key_fingerprint(theirs):
            return path
    return None


def verification_key(folder: Path, named: Path | None, candidates: Iterable[Path]) -> tuple[Ed25519PublicKey, Path]:
    """The public key to verify the trail in *folder* with, and the file that it came from.

    The one that was *named*; else one of *candidates* that is the trail's own; else the copy that lies in the folder.

    Raises
    ------
    InputError
        There is none, or the one that was named is none.
    """
    path = named or own_key(folder, candidates) or folder / PUBLIC_KEY
    found = _key_in(path)
    if not found:
        message = f"{path}: no public Ed25519 key in PEM form can be read there"
        raise InputError(message)
    return found, path


def read_statement(path: Path) -> Statement:
    """The last statement in a file of them, or the only one.

    Raises
    ------
    InputError
        It cannot be read, or is something else.
    """
    try:
        with path.open("rb") as file:
            statements, left = decode_statements(file.read(_MAX_STATEMENTS).splitlines())
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise InputError(message) from None
    if left or not statements:
        message = f"{path}: not a checkpoint, nor a file of them"
        raise InputError(message)
    return statements[-1]


def _key_in(path: Path) -> Ed25519PublicKey | None:
    try:
        return load_public_key(path.read_bytes())
    except (OSError, InputError):
        return None
