"""The key file of a log: made once, readable by its owner alone, refused if others may read it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from jupyter_qguard.audit.checkpoints import Signer, load_private_key, new_private_key, public_pem
from jupyter_qguard.audit.folder import PRIVATE_FILE, PRIVATE_FOLDER, PUBLIC_KEY, refuse, sync_names, translated
from jupyter_qguard.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_qguard.audit.folder import AuditFolder

_MAX_KEY = 1 << 14


def load_or_create_signer(path: Path) -> Signer:
    """The signer whose key lies at *path*; a new key where there is none.

    Raises
    ------
    AuditUnavailableError
        The key cannot be read or made, is none, or others may read it.
    """
    pem = _read_private(path)
    if pem is None:
        write_new(path, new_private_key())
        pem = _read_private(path) or b""
    try:
        return Signer(load_private_key(pem))
    except InputError as error:
        refuse(path, str(error))


def publish_key(folder: AuditFolder, signer: Signer) -> None:
    """Lay the public half into the folder, for whoever verifies.

    Raises
    ------
    AuditUnavailableError
        Another key's half lies there: this log is signed by somebody else, or its key was lost or replaced.
    """
    path = folder.path / PUBLIC_KEY
    mine = public_pem(signer.public)
    write_new(path, mine)
    with translated(folder.path):
        theirs = path.read_bytes()
    if theirs != mine:
        refuse(folder.path, "its checkpoints are signed by another key; to begin a new log, move this folder away")


def _read_private(path: Path) -> bytes | None:
    """A small file that only its owner may read; None if there is none.

    Raises
    ------
    AuditUnavailableError
        Others may read or write it, or it cannot be read.
    """
    with translated(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                refuse(path, "others than its owner may use it: `chmod 600` it, or replace it if they may have read it")
            return file.read(_MAX_KEY)


def write_new(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Create *path* with *data*, whole or not at all; one that is there stays as it is."""
    with translated(path):
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
        sync_names(path.parent)  # a key that a power cut takes would leave a log that nobody can go on with
