"""The owner's side of the gateway: starts it, keeps what a new one needs after a crash, and ends it with the process.

One per process, whatever event loops and threads its kernels belong to. A child that this process forks must not use
it: it forgets it, and starts a gateway of its own if it ever starts a kernel.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from jupyter_qguard.errors import InputError
from jupyter_qguard.gateway.control import (
    NAMES_IN_A_PACKET,
    Began,
    CloseDoors,
    Done,
    Failed,
    Learned,
    OpenDoors,
    PolicyChanged,
    Recall,
    RecordFailure,
    RecordStart,
    Refused,
    ToOwner,
    Vouched,
    receive_message,
    send_message,
)
from jupyter_qguard.sandbox.errors import GatewayError
from jupyter_qguard.sandbox.gateway_process import start_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_qguard.gateway.control import Welcome

Notice: TypeAlias = Refused | PolicyChanged | Began
Request: TypeAlias = OpenDoors | CloseDoors | RecordStart | RecordFailure

MAX_CRASHES, CRASH_WINDOW = 5, 60.0
"""More than so many within so many seconds, and it is not started again."""

_log = logging.getLogger(__name__)


@dataclass
class _Kept:
    """What a new gateway needs of one kernel."""

    opened: OpenDoors
    listeners: list[int]
    names: list[str] = field(default_factory=list)
    authority: str = ""
    """Key and certificate of the kernel's own authority."""


class Owner:
    """Starts a gateway and speaks with it. Safe for several threads."""

    def __init__(self, welcome: Welcome, command: Sequence[str] | None = None) -> None:
        """*command* is the program without ``--control FD``."""
        self._welcome = welcome
        self._command = list(command or (sys.executable, "-m", "jupyter_qguard.gateway"))
        self._lock = threading.RLock()
        self._end: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._kept: dict[str, _Kept] = {}
        self._pending: dict[int, Future[None]] = {}
        self._numbers = itertools.count(1)
        self._crashes: collections.deque[float] = collections.deque()
        self._watchers: list[Callable[[Notice], None]] = []
        self._closed = False
        self._decoder = msgspec.json.Decoder(ToOwner)

    def start(self) -> None:
        """Start the gateway unless it runs.

        Raises
        ------
        GatewayError
            It did not get ready, or crashed too often.
        """
        with self._lock:
            if self._closed:
                raise GatewayError("the gateway has ended for good: start the server or program again")
            if self._end is None:
                self._connect()
                threading.Thread(target=self._read, name="qguard-owner", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Process id of the gateway."""
        process = self._process
        return process.pid if process else None

    def subscribe(self, watcher: Callable[[Notice], None]) -> Callable[[], None]:
        """Have *watcher* called, from another thread, with what people should see. Call the result to end that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def open_doors(self, opened: OpenDoors, descriptors: Sequence[int]) -> Future[None]:
        """Have the doors of a kernel served. Duplicates of *descriptors* are kept; they themselves stay the caller's."""
        with self._lock:
            self._forget(opened.kernel)
            kept = self._kept[opened.kernel] = _Kept(opened, [os.dup(each) for each in descriptors])
            return self._ask(self._opening(kept), kept.listeners)

    def certificate(self, kernel: str) -> str:
        """What *kernel* must trust to reach what is brokered (PEM); empty if nothing is. Known when its doors are open."""
        with self._lock:
            kept = self._kept.get(kernel)
            _, begin, certificate = (kept.authority if kept else "").rpartition("-----BEGIN CERTIFICATE-----")
            return f"{begin}{certificate}"

    def close_doors(self, kernel: str) -> None:
        """Have all that belongs to *kernel* closed, here and in the gateway."""
        with self._lock:
            if kernel in self._kept:
                self._forget(kernel)
                self._ask(CloseDoors(request=next(self._numbers), kernel=kernel))

    def record_start(self, started: RecordStart) -> Future[None]:
        """Have it recorded that a kernel is about to run; it must not before the result is there."""
        return self._ask(msgspec.structs.replace(started, request=next(self._numbers)))

    def record_failure(self, kernel: str, part: str, code: str, detail: str) -> Future[None]:
        """Have it recorded that something failed."""
        return self._ask(
            RecordFailure(request=next(self._numbers), kernel=kernel, part=part, code=code, detail=detail[:500])
        )

    def close(self) -> None:
        """End the gateway, and all ways out with it."""
        with self._lock:
            self._closed = True
            for kernel in list(self._kept):
                self._forget(kernel)
            end, process = self._end, self._process
            self._end = self._process = None
            self._fail_pending("the gateway is closed")
        if end is not None:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        if process is not None:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def abandon(self) -> None:
        """In a forked child: close this side's descriptors, and do nothing else, as locks may be held for ever."""
        self._closed = True
        numbers = [number for kept in self._kept.values() for number in kept.listeners]
        if self._end is not None:
            numbers.append(self._end.detach())
        for number in numbers:
            with contextlib.suppress(OSError):
                os.close(number)
        self._kept, self._end = {}, None
        if self._process is not None:
            self._process.returncode = 0  # the parent's child: nobody here may wait for it, or warn of it

    def _ask(self, request: Request, descriptors: Sequence[int] = ()) -> Future[None]:
        future: Future[None] = Future()
        with self._lock:
            if self._end is None:
                future.set_exception(GatewayError("the gateway is not running"))
                return future
            self._pending[request.request] = future
            try:
                send_message(self._end, request, descriptors)
            except OSError:
                # Its end is near and the reader sees it; doors are handed to the next gateway.
                self._pending.pop(request.request)
                future.set_exception(GatewayError("the gateway has just ended; it is started again: try once more"))
        return future

    def _opening(self, kept: _Kept) -> OpenDoors:
        return msgspec.structs.replace(kept.opened, request=next(self._numbers), authority=kept.authority)

    def _connect(self) -> None:
        """Start a gateway and give it all that is kept."""
        end, self._process = start_gateway(self._command, self._welcome)
        try:
            for kernel, kept in self._kept.items():
                for first in range(0, len(kept.names), NAMES_IN_A_PACKET):
                    names = tuple(kept.names[first : first + NAMES_IN_A_PACKET])
                    send_message(end, Recall(kernel=kernel, names=names))
                send_message(end, self._opening(kept), kept.listeners)
        except OSError as error:
            end.close()
            self._process.kill()
            self._process.wait()
            raise GatewayError("the gateway ended while it was started") from error
        self._end = end

    def _read(self) -> None:
        while True:
            end = self._end
            if end is None:
                return
            try:
                message, descriptors = receive_message(end, self._decoder)
            except (EOFError, OSError, InputError):
                if not self._heal(end):
                    return
                continue
            for number in descriptors:
                os.close(number)
            self._take(message)

    def _take(self, message: ToOwner) -> None:
        if isinstance(message, Done | Failed):
            future = self._pending.pop(message.request, None)
            if future is not None:
                if isinstance(message, Done):
                    future.set_result(None)
                else:
                    future.set_exception(GatewayError(message.reason))
        elif isinstance(message, Vouched):
            with self._lock:
                if message.kernel in self._kept:
                    self._kept[message.kernel].authority = message.authority
        elif isinstance(message, Learned):
            with self._lock:
                if message.kernel in self._kept:
                    self._kept[message.kernel].names.append(message.name)
        elif isinstance(message, Refused | PolicyChanged | Began):
            for watcher in list(self._watchers):
                try:
                    watcher(message)
                except Exception:  # noqa: BLE001 - a watcher's fault must not end the reader
                    _log.exception("jupyter_qguard: a notice was not delivered")

    def _heal(self, end: socket.socket) -> bool:
        """Put a new gateway in the place of one that has ended; whether there is one now."""
        with self._lock:
            if self._closed or end is not self._end:
                return False
            end.close()
            self._end = None
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._fail_pending("the gateway ended before it answered; it is started again: try once more")
            while True:
                now = time.monotonic()
                self._crashes.append(now)
                while now - self._crashes[0] > CRASH_WINDOW:
                    self._crashes.popleft()
                if len(self._crashes) > MAX_CRASHES:
                    self._closed = True
                    for kernel in list(self._kept):
                        self._forget(kernel)
                    _log.critical("jupyter_qguard: the gateway crashed too often. Kernels have no way out any more.")
                    return False
                try:
                    self._connect()
                except GatewayError:
                    continue
                _log.warning("jupyter_qguard: the gateway had ended and was started again")
                return True

    def _forget(self, kernel: str) -> None:
        kept = self._kept.pop(kernel, None)
        for number in kept.listeners if kept else ():
            os.close(number)

    def _fail_pending(self, reason: str) -> None:
        pending, self._pending = self._pending, {}
        for future in pending.values():
            future.set_exception(GatewayError(reason))
