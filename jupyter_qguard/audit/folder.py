"""The folder that a trail lies in: segments, statements and lock. All I/O of the package is here and in ``keyfile``.

Segments are named after the sequence number of their first record. A full one is made read-only ("sealed") before the
next begins, which is also how a process that waited for the lock learns that another one began a new segment.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATEMENTS = "checkpoints.jsonl"
PUBLIC_KEY = "checkpoint.pub"
_LOCK = "lock"
_SEGMENT = re.compile(r"audit-([0-9]{16})\.jsonl")
PRIVATE_FOLDER, PRIVATE_FILE, _SEALED_FILE = 0o700, 0o600, 0o400
_RETRY_SECONDS = 0.002
_CHUNK = 1 << 16
_sync = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class AuditPaths:
    """Where a log and the key of its checkpoints lie."""

    folder: Path
    key: Path


def audit_paths(configured: str | None, environ: Mapping[str, str], home: Path) -> AuditPaths:
    """The folder that the policy names, or the one in the user's state folder; the key is always in the latter.

    Key and log lie apart, so that who copies or mounts the log does not get the key with it.
    """
    base = Path(environ.get("XDG_STATE_HOME", ""))
    state = (base if base.is_absolute() else home / ".local" / "state") / "jupyter-qguard"
    return AuditPaths(Path(configured) if configured else state / "audit", state / "audit.key")


def segment_name(sequence: int) -> str:
    """The name of the segment that begins with record *sequence*."""
    return f"audit-{sequence:016d}.jsonl"


def first_sequence(name: str) -> int:
    """The record that the segment *name* begins with."""
    found = _SEGMENT.fullmatch(name)
    return int(found[1]) if found else 0


@dataclass(slots=True)
class Segment:
    """A segment opened for appending."""

    name: str
    descriptor: int
    size: int

    def changed(self) -> bool:
        """Whether another process appended to it, sealed it or removed it."""
        found = os.fstat(self.descriptor)
        return found.st_size != self.size or not found.st_mode & stat.S_IWUSR or found.st_nlink == 0

    def close(self) -> None:
        """Give the file back; a second call does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class AuditFolder:
    """Reads and appends; knows nothing of what a record means."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open the folder at *path*, and its lock file.

        Raises
        ------
        AuditUnavailableError
            It is not there (without *create*), cannot be made, or belongs to somebody else.
        """
        self.path = path
        self._lock = -1
        with translated(path):
            if create:
                path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
                self._make_private()
            elif not (path / _LOCK).exists():
                path.stat()  # a copy without the lock file, which nobody writes to
                return
            flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
            self._lock = os.open(path / _LOCK, flags | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)

    def _make_private(self) -> None:
        found = self.path.stat()
        if found.st_uid != os.geteuid():
            refuse(self.path, f"it belongs to user {found.st_uid}")
        if found.st_mode & 0o077:
            self.path.chmod(PRIVATE_FOLDER)

    def close(self) -> None:
        """Give the lock file back."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @contextlib.contextmanager
    def locked(self, seconds: float, *, shared: bool = False) -> Iterator[None]:
        """Hold the lock against other processes; wait for it at most *seconds*.

        Raises
        ------
        AuditUnavailableError
            Another process kept it for so long.
        """
        if self._lock < 0 and shared:
            yield
            return
        until = time.monotonic() + seconds
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        while True:
            try:
                fcntl.flock(self._lock, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    refuse(self.path, f"another process has held its lock for more than {seconds:g} s")
                time.sleep(_RETRY_SECONDS)
            except OSError as error:
                refuse(self.path, error.strerror or "it cannot be locked")
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def segment_names(self) -> list[str]:
        """All segments, oldest first."""
        with translated(self.path):
            return sorted(entry.name for entry in self.path.iterdir() if _SEGMENT.fullmatch(entry.name))

    def create_segment(self, name: str) -> Segment:
        """Begin a new segment; its name is on the disk for good when this returns."""
        with translated(self.path):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.path / name, flags, PRIVATE_FILE)
            self.sync_folder()
            return Segment(name, descriptor, 0)

    def open_segment(self, name: str) -> Segment:
        """Open an existing segment for appending."""
        with translated(self.path):
            descriptor = os.open(self.path / name, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            return Segment(name, descriptor, os.fstat(descriptor).st_size)

    def is_sealed(self, name: str) -> bool:
        """Whether the segment is finished."""
        with translated(self.path):
            return not (self.path / name).stat().st_mode & stat.S_IWUSR

    def seal_segment(self, segment: Segment) -> None:
        """Finish a segment: nothing is appended to it any more."""
        with translated(self.path):
            os.fchmod(segment.descriptor, _SEALED_FILE)
            os.fsync(segment.descriptor)
            segment.close()

    def remove_segment(self, name: str) -> None:
        """Delete a segment."""
        with translated(self.path):
            (self.path / name).unlink()
            self.sync_folder()

    def append(self, segment: Segment, data: bytes) -> None:
        """Write *data* at the end; it is on the disk for good when this returns.

        Raises
        ------
        AuditUnavailableError
            It could not be written whole. What was written of it has been taken back.
        """
        try:
            write_all(segment.descriptor, data)
            _sync(segment.descriptor)
        except OSError as error:
            with translated(self.path):
                os.ftruncate(segment.descriptor, segment.size)
            refuse(self.path, error.strerror or "writing failed")
        segment.size += len(data)

    def truncate(self, segment: Segment, size: int) -> None:
        """Cut the end of a segment off."""
        with translated(self.path):
            os.ftruncate(segment.descriptor, size)
            _sync(segment.descriptor)
            segment.size = size

    def read_lines(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The lines of a file from byte *start* to byte *end*, with their line ends; the last may have none."""
        with translated(self.path), (self.path / name).open("rb") as file:
            file.seek(start)
            left = (os.fstat(file.fileno()).st_size if end is None else end) - start
            while left > 0:
                line = file.readline(left)
                if not line:
                    return
                left -= len(line)
                yield line

    def last_line(self, name: str, end: int | None = None) -> bytes:
        """The last line before byte *end* of a file, with its line end; empty if there is none."""
        with translated(self.path), (self.path / name).open("rb") as file:
            position = os.fstat(file.fileno()).st_size if end is None else end
            tail = b""  # until it has the line end before the last line, too
            while position > 0 and tail.count(b"\n") < 2:
                step = min(_CHUNK, position)
                position -= step
                file.seek(position)
                tail = file.read(step) + tail
        lines = tail.splitlines(keepends=True)
        return lines[-1] if lines else b""

    def size(self, name: str) -> int:
        """Size of a file in bytes; 0 if it is not there."""
        try:
            return (self.path / name).stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            refuse(self.path, error.strerror or "it cannot be read")

    def append_statement(self, line: bytes) -> None:
        """Add a line to the statements; it is on the disk for good when this returns."""
        with translated(self.path):
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.path / STATEMENTS, flags, PRIVATE_FILE)
            try:
                size = os.fstat(descriptor).st_size
                try:
                    write_all(descriptor, line)
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)
            if size == 0:
                self.sync_folder()

    def cut_statements(self, size: int) -> None:
        """Cut a torn end off the statements."""
        with translated(self.path):
            os.truncate(self.path / STATEMENTS, size)

    def sync_folder(self) -> None:
        """Make the names in the folder durable."""
        sync_names(self.path)


def sync_names(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of *data*, however often that takes."""
    view = memoryview(data)
    while view:
        written = os.write(descriptor, view)
        if written == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the system says about *path* into an :class:`AuditUnavailableError`."""
    try:
        yield
    except OSError as error:
        refuse(path, error.strerror or "it cannot be used")


def refuse(path: Path, problem: str) -> NoReturn:
    """Raise: the log cannot be used, so whatever needs a record of it must not happen."""
    message = f"the audit log at {path} cannot be used: {problem}"
    raise AuditUnavailableError(message) from None
