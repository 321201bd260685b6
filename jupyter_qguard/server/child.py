"""One worker process as the server sees it: started, spoken to, killed when it is late."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.server import wire
from jupyter_qguard.server.known import KnownNotebooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import FileIO

    from jupyter_qguard.server.prepared import Prepared

_ANSWERS: msgspec.msgpack.Decoder[wire.Answer] = msgspec.msgpack.Decoder(wire.Answer)
_PIPE_SIZE = 1 << 20
"""Bytes; the largest an ordinary user may ask for (``/proc/sys/fs/pipe-max-size``)."""
_F_SETPIPE_SZ = 1031
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "SYSTEMROOT", "VIRTUAL_ENV")


class WorkerDiedError(GuardFailureError):
    """A worker process ended while it had work, or could not be started."""

    code = "worker_died"


class WorkerLateError(GuardFailureError):
    """A worker process took longer than it may, and was killed."""

    code = "worker_late"


class Child:
    """A worker process. Used by one thread."""

    def __init__(
        self, load: wire.LoadRules, *, patience: float, announce: Callable[[str], None], memory: int = 0
    ) -> None:
        """Start a process and wait until its rules are loaded; it may remember notebooks of *memory* bytes.

        Raises
        ------
        WorkerDiedError, WorkerLateError
            It did not come up within *patience* seconds.
        """
        self._process = _start()
        self._channel = wire.Channel(*_ends(self._process))
        self._killed = False
        self.known = KnownNotebooks(memory)
        with self._deadline(patience):
            self._channel.send(load)
            answer = self._channel.receive(_ANSWERS)
            while isinstance(answer, wire.Announce):
                announce(answer.text)
                answer = self._channel.receive(_ANSWERS)
        if not isinstance(answer, wire.Ready):
            self.stop()
            raise WorkerDiedError(answer.text if isinstance(answer, wire.Failed) else "no rules")

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def scan(self, document: Prepared, path: str, patience: float) -> wire.Found | wire.Redacted | wire.Failed:
        """Have a document scanned that is to be saved at *path*. As :meth:`ask`."""
        if not document.notebook:
            return self.ask(wire.ScanFile(document.name, (document.size,)), document.parts, patience)
        request, parts = self.known.question(document, path)
        answer = self.ask(request, parts, patience, document.tell_sent)
        if isinstance(answer, wire.Found) and answer.kept:
            self.known.keep(request.number, document, path)
        return answer

    def ask(
        self,
        request: wire.Scan | wire.RedactBytes,
        parts: Sequence[bytes],
        patience: float,
        begun: Callable[[], None] = lambda: None,
    ) -> wire.Found | wire.Redacted | wire.Failed:
        """Have one request, followed by its parts, answered within *patience* seconds; *begun* is called right before it
        is sent. After an error this child is of no more use.

        Raises
        ------
        WorkerDiedError, WorkerLateError
            The process is gone.
        """
        with self._deadline(patience):
            begun()
            self._channel.send(request, parts)
            answer = self._channel.receive(_ANSWERS)
        if isinstance(answer, wire.Found | wire.Redacted | wire.Failed):
            return answer
        raise WorkerDiedError("an answer out of turn")

    def stop(self) -> None:
        """End the process, at once if it does not go by itself."""
        self._channel.close()
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Kill the process when time is up: its end of the pipe closes, which ends any wait on every platform."""
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (EOFError, OSError, ValueError, msgspec.MsgspecError):  # ValueError: closed by another thread
            self.stop()
            if self._killed:
                raise WorkerLateError(f"no answer within {seconds:g} s") from None
            raise WorkerDiedError("the process ended") from None
        finally:
            timer.cancel()

    def _kill(self) -> None:
        self._killed = True
        self._process.kill()


def _start() -> subprocess.Popen[bytes]:
    """Start the interpreter on the worker module.

    A new interpreter, not a fork: the server has threads. Its folder is the root, since ``-m`` puts the current folder
    on the module path, and the workspace holds files that others wrote.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    places = (place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place)
    environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(place) for place in places)  # noqa: PTH100
    environment["PYTHONSAFEPATH"] = "1"
    command = [sys.executable, "-X", "utf8", "-m", "jupyter_qguard.server.worker"]
    return subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=os.path.abspath(os.sep),  # noqa: PTH100
        env=environment,
    )


def _ends(process: subprocess.Popen[bytes]) -> tuple[FileIO, FileIO]:
    """Our ends of the pipes, made as large as the system allows: a document then crosses in few steps."""
    reader, writer = process.stdout, process.stdin
    if reader is None or writer is None:  # pragma: no cover - asked for above
        raise WorkerDiedError("no pipes")
    if sys.platform.startswith("linux"):
        import fcntl  # noqa: PLC0415 - not there on Windows

        for file in (reader, writer):
            try:
                fcntl.fcntl(file.fileno(), _F_SETPIPE_SZ, _PIPE_SIZE)
            except OSError:  # the user's share of pipe memory is used up: smaller steps
                continue
    return reader, writer  # type: ignore[return-value] # unbuffered, so FileIO
