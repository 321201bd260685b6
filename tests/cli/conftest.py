"""Runs ``qguard`` as a user does: a process of its own, in a home of its own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

QGUARD = [sys.executable, "-m", "jupyter_qguard.cli"]
_SECONDS = 60
_WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""Root that the modes of files bind, too."""


class Cli:
    """One user's command line, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder.parent / f"{folder.name}-state"
        self.config = folder.parent / f"{folder.name}-config"
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("QGUARD_", "PIP_"))}
        self.environment = kept | {
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_STATE_HOME": str(self.state),
            "HOME": str(folder.parent / f"{folder.name}-home"),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),  # the compiled rules
            "PIP_CONFIG_FILE": os.devnull,
            "TERM": "xterm-256color",
            "COLUMNS": "200",
        }
        self.environment.pop("NO_COLOR", None)

    def __call__(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        unprivileged: bool = False,
    ) -> subprocess.CompletedProcess[bytes]:
        as_user = _WITHOUT_PRIVILEGES if unprivileged and os.geteuid() == 0 else []
        return subprocess.run(
            [*as_user, *QGUARD, *arguments],
            cwd=self.folder,
            env=self.environment | (environment or {}),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )

    def start(self, *arguments: str, **options) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*QGUARD, *arguments], cwd=self.folder, env=self.environment, **options)

    def on_terminal(self, *arguments: str, answers: tuple[tuple[str, str], ...] = ()) -> tuple[int, str]:
        """Run on a terminal; type each answer once its question stands there. The exit code and all that was shown."""
        controller, terminal = pty.openpty()
        process = self.start(*arguments, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
        os.close(terminal)
        shown, seen, waiting = b"", 0, list(answers)
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            if waiting and (at := shown.find(waiting[0][0].encode(), seen)) >= 0:
                os.write(controller, f"{waiting.pop(0)[1]}\n".encode())
                seen = at + 1
            if not select.select([controller], [], [], 1.0)[0]:
                continue
            try:
                data = os.read(controller, 1 << 16)
            except OSError:  # the other side was closed
                break
            if not data:
                break
            shown += data
        os.close(controller)
        assert not waiting, f"never asked: {waiting[0][0]}"
        return process.wait(_SECONDS), shown.decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return Cli(folder)


@pytest.fixture
def work(run):
    """The folder that the commands run in."""
    return run.folder
