"""A real desktop session without a desktop: a bus of its own and gnome-keyring on it, unlocked."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import secretstorage

_START_SECONDS = 60
_BUS = """<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
"""Without folders of services: the bus starts no keyring of its own beside ours."""


class Session:
    """Started at once; :attr:`bus` is its address."""

    def __init__(self, folder: Path) -> None:
        for name in ("dbus-daemon", "gnome-keyring-daemon"):
            if shutil.which(name) is None:
                pytest.skip(f"{name} is not installed: apt-get install dbus gnome-keyring")
        folder.chmod(0o700)
        self.bus = f"unix:path={folder}/bus"
        environ = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder / "data")}
        environ |= {"PATH": os.environ["PATH"], "DBUS_SESSION_BUS_ADDRESS": self.bus}
        (folder / "data" / "keyrings").mkdir(parents=True)
        (folder / "bus.conf").write_text(_BUS.format(address=self.bus))
        command = ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile"]
        self._log = (folder / "log").open("wb")
        self._processes = [subprocess.Popen(command, env=environ, stdout=self._log, stderr=self._log)]
        self._until((folder / "bus").exists)
        daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--unlock", "--foreground", "--components=secrets"],
            env=environ, stdin=subprocess.PIPE, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self._processes.append(daemon)
        daemon.stdin.write(b"password of the login keyring")
        daemon.stdin.close()
        self._until(self._is_unlocked)

    def _until(self, happened) -> None:
        until = time.monotonic() + _START_SECONDS
        while not happened():
            assert time.monotonic() < until, Path(self._log.name).read_text()
            time.sleep(0.05)

    def _is_unlocked(self) -> bool:
        try:
            with self.default() as collection:
                return not collection.is_locked()
        except (secretstorage.exceptions.SecretStorageException, OSError):
            return False

    @contextlib.contextmanager
    def default(self) -> Iterator[secretstorage.Collection]:
        """Its default collection, on a connection of its own."""
        before = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = self.bus
        try:
            with contextlib.closing(secretstorage.dbus_init()) as connection:
                yield secretstorage.Collection(connection)
        finally:
            del os.environ["DBUS_SESSION_BUS_ADDRESS"]
            if before is not None:
                os.environ["DBUS_SESSION_BUS_ADDRESS"] = before

    def lock(self) -> None:
        """Lock the default collection, as a desktop does when nobody is there."""
        with self.default() as collection:
            collection.lock()

    def stop(self) -> None:
        """End it."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._log.close()
