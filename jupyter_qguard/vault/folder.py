"""The guard's own folder for secrets: small files that only their owner may use, replaced whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jupyter_qguard.audit.folder import PRIVATE_FILE, PRIVATE_FOLDER, sync_names, write_all
from jupyter_qguard.vault.errors import SourceUnavailableError
from jupyter_qguard.vault.source import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOCK = "lock"
_DRAFT = ".draft-"
_MAX_BYTES = 16 << 20
_RETRY_SECONDS = 0.005


def guard_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Where secrets lie that the guard keeps itself: in its data folder, which every sandbox hides from kernels."""
    base = Path(environ.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else home / ".local" / "share") / "jupyter-qguard" / "vault"


class PrivateFolder:
    """Reads and replaces files in one folder; knows nothing of what is in them.

    Every method raises :class:`~jupyter_qguard.vault.errors.SourceUnavailableError` where the system refuses, or where
    others than the owner may use what is there.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is made before the first write."""
        self.path = path

    def read(self, name: str) -> bytes | None:
        """What the file *name* holds; None if there is none."""
        with self._translated(name):
            try:
                descriptor = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                self._must_be_private(name, os.fstat(descriptor))
                self._must_be_private("", self.path.stat())
                data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            self._refuse(name, f"it has more than {_MAX_BYTES >> 20} MiB, and so is none of the guard's")
        return data

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep every other writer out; wait for one at most :data:`PATIENCE` seconds. Makes the folder."""
        with self._translated(""):
            self.path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._must_be_private("", self.path.stat())
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            self._wait_for(descriptor)
            self._remove_drafts()
            yield
        finally:
            os.close(descriptor)

    def replace(self, name: str, data: bytes) -> None:
        """Make *data* what the file *name* holds; on the disk for good when this returns. Only while :meth:`writing`.

        However this fails, or if the machine stops on the way, the file holds what it held before.
        """
        draft = self.path / f"{_DRAFT}{os.urandom(8).hex()}"
        with self._translated(name):
            descriptor = os.open(
                draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE
            )
            try:
                try:
                    write_all(descriptor, data)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                draft.replace(self.path / name)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            sync_names(self.path)

    def _wait_for(self, descriptor: int) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    self._refuse(_LOCK, f"another process has held it for {PATIENCE:g} s; try again when that is done")
                time.sleep(_RETRY_SECONDS)
            except OSError as error:
                self._refuse(_LOCK, error.strerror or "it cannot be locked")
            else:
                return

    def _remove_drafts(self) -> None:
        """What a writer that was killed left behind."""
        with self._translated(""):
            for entry in list(self.path.iterdir()):
                if entry.name.startswith(_DRAFT):
                    entry.unlink(missing_ok=True)

    def _must_be_private(self, name: str, found: os.stat_result) -> None:
        if found.st_uid != os.geteuid():
            self._refuse(name, f"it belongs to user {found.st_uid}")
        if found.st_mode & 0o077:
            mode = "700" if not name else "600"
            self._refuse(
                name,
                f"others than its owner may use it: `chmod {mode}` it, and replace the keys if they may have read them",
            )

    @contextlib.contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._refuse(name, error.strerror or "it cannot be used")

    def _refuse(self, name: str, problem: str) -> NoReturn:
        raise SourceUnavailableError(f"{self.path / name if name else self.path}: {problem}") from None
