"""The kernel's end of its control channel to the gateway: a request, an answer, one JSON object a packet.

The end is inherited, and whoever holds it is this kernel for the gateway. So children do not get it: it is not inherited
by programs, and a child that is forked closes it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

VARIABLE = "QGUARD_CONTROL"
"""Names the descriptor and the tier, as ``7:netns``."""
VERSION = 1
MAX_PACKET = 64 * 1024
PATIENCE = 20.0
"""Seconds for an answer. A gateway that crashed is there again after one or two."""
_AGAIN = 3.0
"""Seconds after which the same request is sent once more: a gateway that crashed took the first one with it."""


class NoChannelError(UsageError):
    """There is nobody to ask: this kernel is not guarded, or runs no part of the guard."""

    code = "no_channel"


class NoAnswerError(OutsideError):
    """The gateway is gone, or does not answer."""

    code = "no_answer"


class NotDoneError(UsageError):
    """The gateway answered that it does not do this, and why."""

    code = "not_done"


class Channel:
    """Safe for several threads, one after the other."""

    def __init__(self, end: socket.socket) -> None:
        """*end* is this object's from now on."""
        end.set_inheritable(False)
        end.setblocking(False)
        self._end: socket.socket | None = end
        self._lock = threading.Lock()
        self._number = 0
        self._refused = False
        os.register_at_fork(after_in_child=self.close)

    def ask(self, operation: str, *, patience: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """The answer to *operation* with *fields*, within *patience* seconds.

        Raises
        ------
        NoAnswerError
            There was none.
        NotDoneError
            It says that nothing was done, and why.
        """
        until = time.monotonic() + patience
        if not self._lock.acquire(timeout=patience):
            raise NoAnswerError(_SILENT)
        try:
            self._drain()
            self._number += 1
            packet = _packet(self._number, operation, fields)
            while time.monotonic() < until:
                self._send(packet, until)
                answer = self._receive(self._number, min(until, time.monotonic() + _AGAIN))
                if answer is not None:
                    return answer
        finally:
            self._lock.release()
        raise NoAnswerError(_SILENT)

    def say(self, operation: str, **fields: Any) -> None:
        """Send *operation* with *fields* and wait for nothing. Whether anybody hears it does not matter."""
        with self._lock:
            self._number += 1
            if self._end is not None:
                try:
                    self._end.send(_packet(self._number, operation, fields))
                except OSError:
                    return

    def was_refused(self) -> bool:
        """Whether the gateway refused something since this was asked last. Waits for nothing."""
        if not self._lock.acquire(blocking=False):
            return False  # another thread is asking; the next cell will know
        try:
            self._drain()
            refused, self._refused = self._refused, False
        finally:
            self._lock.release()
        return refused

    def close(self) -> None:
        """Give the end back. Takes no lock: in a forked child another thread may hold it for ever."""
        end, self._end = self._end, None
        self._lock = threading.Lock()
        if end is not None:
            end.close()

    def _opened(self) -> socket.socket:
        if self._end is None:
            raise NoAnswerError("this is a child process of the kernel: ask in the kernel itself")
        return self._end

    def _drain(self) -> None:
        """Read what came unasked, or too late."""
        while self._end is not None:
            try:
                packet = self._end.recv(MAX_PACKET)
            except OSError:
                return
            if not packet:
                return
            self._note(_read(packet))

    def _send(self, packet: bytes, until: float) -> None:
        end = self._opened()
        try:
            if _ready(end, select.POLLOUT, until):
                end.send(packet)
        except BlockingIOError:
            return
        except OSError:
            raise NoAnswerError(_GONE) from None

    def _receive(self, number: int, until: float) -> dict[str, Any] | None:
        """The answer to request *number*; None if there is none until then."""
        end = self._opened()
        while _ready(end, select.POLLIN, until):
            try:
                packet = end.recv(MAX_PACKET)
            except BlockingIOError:
                continue
            except OSError:
                raise NoAnswerError(_GONE) from None
            if not packet:
                raise NoAnswerError(_GONE)
            message = _read(packet)
            self._note(message)
            if message.get("id") == number and "error" in message:
                raise NotDoneError(str(message["error"].get("text", "")))
            if message.get("id") == number:
                answer: dict[str, Any] = message.get("answer", {})
                return answer
        return None

    def _note(self, message: dict[str, Any]) -> None:
        self._refused = self._refused or message.get("event") == "refused"


_SILENT = "the gateway does not answer: try once more, and look into the server's log if it stays so"
_GONE = "the gateway is gone: this kernel has no way out any more; restart the server"


def take_channel(environ: MutableMapping[str, str]) -> tuple[Channel | None, str]:
    """The channel that *environ* names, and the tier of this kernel; the variable is gone after that.

    None where there is none, or something else has its number: a program in between has closed it then.
    """
    text, _, tier = environ.pop(VARIABLE, "").partition(":")
    if not (text.isascii() and text.isdigit()):
        return None, tier
    try:
        end = socket.socket(fileno=int(text))
    except (OSError, OverflowError):
        return None, tier
    if end.family != socket.AF_UNIX or end.type != socket.SOCK_SEQPACKET:
        end.detach()
        return None, tier
    return Channel(end), tier


_taken: list[Channel] = []


def use_channel(channel: Channel) -> None:
    """Make *channel* the one of this process."""
    _taken[:] = [channel]


def the_channel() -> Channel:
    """The channel of this process.

    Raises
    ------
    NoChannelError
        There is none.
    """
    if not _taken:
        raise NoChannelError("this kernel is not guarded, or was started in a way in which the guard cannot be asked")
    return _taken[0]


def _ready(end: socket.socket, event: int, until: float) -> bool:
    """Whether *end* can be read or written before *until*."""
    poll = select.poll()
    poll.register(end, event)
    return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))


def _packet(number: int, operation: str, fields: dict[str, Any]) -> bytes:
    packet = json.dumps({**fields, "v": VERSION, "id": number, "op": operation}).encode()
    if len(packet) > MAX_PACKET:
        raise NotDoneError("that is too long to ask")
    return packet


def _read(packet: bytes) -> dict[str, Any]:
    try:
        message = json.loads(packet)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
