"""Keeps jupyter-collaboration's store of edits off the disk.

That store keeps every keystroke: a secret that was typed and deleted again, or redacted on save, could be played back
from it. In a folder that lives in memory it ends with the server.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from traitlets.config import Config

_PREFIX = "jupyter-qguard-"


@dataclass(frozen=True, slots=True)
class MovedStore:
    """A private folder in memory, locked for as long as its server lives."""

    folder: Path
    lock: int
    """Descriptor of the folder."""

    def remove(self) -> None:
        """Remove the folder and all that was kept in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def move_store(config: Config, environ: Mapping[str, str]) -> MovedStore | None:
    """Point the store at a private folder in memory, unless the operator configured a store.

    Returns
    -------
    MovedStore | None
        To be removed when the server ends; None where nothing was moved: the store is configured, or the system has
        no folder in memory.
    """
    if "ystore_class" in config.YDocExtension or "db_path" in config.SQLiteYStore:
        return None
    for name in (environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a fresh private folder is made in it
        place = Path(name)
        if name and _is_in_memory(place):
            _remove_left_over(place)
            store = _new_store(place)
            config.SQLiteYStore.db_path = str(store.folder / "ystore.db")
            return store
    return None


def _new_store(place: Path) -> MovedStore:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        lock = _locked(folder)
        if lock is not None:
            return MovedStore(folder, lock)
        # Another server that starts took it for a left-over one, before it was locked.


def _remove_left_over(place: Path) -> None:
    """Remove the stores of this user's servers that were killed: their locks ended with them."""
    for folder in place.glob(f"{_PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
            continue
        lock = _locked(folder)
        if lock is not None:
            MovedStore(folder, lock).remove()


def _locked(folder: Path) -> int | None:
    """A descriptor with a lock on *folder*; None where another process has it, or it is gone."""
    import fcntl  # noqa: PLC0415 - not there on Windows, which has no such folders either

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    if folder.exists():
        return descriptor
    os.close(descriptor)
    return None


def _is_in_memory(place: Path) -> bool:
    """Whether *place* is a folder we may write to on a file system without a disk."""
    try:
        if not stat.S_ISDIR(place.stat().st_mode) or not os.access(place, os.W_OK | os.X_OK):
            return False
        mounts = Path("/proc/self/mounts").read_text("utf-8")
    except OSError:
        return False
    kinds = {line.split()[1]: line.split()[2] for line in mounts.splitlines()}
    at = place.resolve()
    while str(at) not in kinds and at != at.parent:
        at = at.parent
    return kinds.get(str(at)) in ("tmpfs", "ramfs")
