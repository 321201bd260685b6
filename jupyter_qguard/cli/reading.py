"""Which trail a command reads, and the record that it was read."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.audit import AuditEvent, AuditLog, Identity, IdentityKind, audit_paths
from jupyter_qguard.audit.custody import own_key
from jupyter_qguard.errors import InputError
from jupyter_qguard.policy import load_policy

if TYPE_CHECKING:
    from jupyter_qguard.audit.event import EventData


def trail_folder(path: Path | None) -> Path:
    """The folder of the trail: *path*, or the one that the policy names. Raises InputError if there is none."""
    home = Path.home()
    configured = str(path) if path else load_policy(environ=os.environ, home=home).policy.audit.path
    folder = audit_paths(configured, os.environ, home).folder
    if not folder.is_dir():
        message = f"there is no audit trail at {folder}"
        raise InputError(message)
    return folder


def key_places(folder: Path) -> tuple[Path, Path]:
    """Where the key of the trail in *folder* may lie."""
    return audit_paths(None, os.environ, Path.home()).key, folder.with_name(f"{folder.name}.key")


def record_reading(folder: Path, data: EventData) -> None:
    """Record that somebody looked, in the trail itself or, of a copy, in one's own: without a record nothing is shown."""
    key = own_key(folder, key_places(folder))
    if key is None:
        own = audit_paths(None, os.environ, Path.home())
        folder, key = own.folder, own.key
    identity = Identity(kind=IdentityKind.PERSON, user=getpass.getuser(), source="cli")
    log = AuditLog.open(folder, identity, key_path=key)
    try:
        log.append(AuditEvent(data=data))
    finally:
        log.close()
