"""The folder of this process for sockets and connection files, and what a process that was killed left of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

_PREFIX = "qg-"
_MARK = ".qguard"
"""A file in each of them: the folder of another program is not ours to sweep, whatever its name."""
_LONGEST_BASE = 60
"""Bytes; with two folders and a socket's name a path must stay below 108 (``sun_path``)."""


class ProcessFolder:
    """A new folder that only this user enters, with a short path. Locked while the process lives."""

    def __init__(self) -> None:
        base = _base()
        sweep(base)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.path / _MARK).touch()

    def new_folder(self) -> Path:
        """One in it, for one kernel."""
        return Path(tempfile.mkdtemp(prefix="k", dir=self.path))

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep(base: Path) -> None:
    """Remove the folders of processes of this user that are gone."""
    for path in base.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            found = os.fstat(descriptor)
            private = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
            if private and (path / _MARK).is_file():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(descriptor)


def _base() -> Path:
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if base.is_absolute() and len(os.fsencode(base)) <= _LONGEST_BASE and os.access(base, os.W_OK | os.X_OK):
        return base
    return Path("/tmp")  # noqa: S108 - the folder in it is made with a random name and mode 0700
