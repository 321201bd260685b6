"""The gateway's end of one kernel's control channel: reads a request, answers it, and then reads the next.

One after the other, so that a kernel that asks much waits and fills nothing here. A kernel that does not read its answers
stops its own conversation and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

from jupyter_qguard.egress.waiting import until_ready
from jupyter_qguard.errors import GuardFailureError, InputError, QGuardError
from jupyter_qguard.gateway.asked import REFUSED_PACKET, answer_packet, error_packet, number_of, parse_asked
from jupyter_qguard.gateway.control import MAX_PACKET
from jupyter_qguard.gateway.limits import Bucket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from jupyter_qguard.gateway.asked import Asked

_log = logging.getLogger(__name__)


class Conversation:
    """With the guard's part inside of one kernel, until its end or that of the kernel."""

    def __init__(self, end: socket.socket, rate: float, answer: Callable[[Asked], Awaitable[dict[str, Any]]]) -> None:
        """*end* does not block and stays its owner's; *rate* is in requests a second; *answer* may raise QGuardError."""
        self._end, self._answer = end, answer
        self._bucket = Bucket(rate, asyncio.get_running_loop().time())
        self._last: tuple[int, bytes] = (0, b"")

    async def run(self) -> None:
        """Until the kernel's side is closed."""
        with contextlib.suppress(OSError):  # the kernel is gone
            while packet := await self._receive():
                await self._turn()
                await self._send(await self._answered(packet))

    def tell_of_refusals(self) -> bool:
        """Let the kernel know that it may ask what was refused; whether it took that."""
        try:
            self._end.send(REFUSED_PACKET)
        except OSError:
            return False
        return True

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._bucket.take(loop.time()):
            await asyncio.sleep(self._bucket.seconds)
            self._bucket.take(loop.time())

    async def _receive(self) -> bytes:
        """The next packet, empty at the end. What is longer than a packet may be is cut, and so cannot be read."""
        while True:
            try:
                return self._end.recv(MAX_PACKET)
            except (BlockingIOError, InterruptedError):
                await until_ready(self._end)

    async def _send(self, packet: bytes) -> None:
        while True:
            try:
                self._end.send(packet)
            except (BlockingIOError, InterruptedError):
                await until_ready(self._end, writing=True)
            else:
                return

    async def _answered(self, packet: bytes) -> bytes:
        try:
            asked = parse_asked(packet)
        except InputError as error:
            return error_packet(number_of(packet), error.code, str(error))
        number, answer = self._last
        if asked.id != number:
            answer = await self._done(asked)
            self._last = (asked.id, answer)
        return answer

    async def _done(self, asked: Asked) -> bytes:
        try:
            return answer_packet(asked.id, await self._answer(asked))
        except QGuardError as error:
            return error_packet(asked.id, error.code, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must answer and not end the gateway
            _log.error("a request of a kernel failed inside of the gateway: %s", type(error).__name__)
            return error_packet(asked.id, GuardFailureError.code, "the gateway failed at this; nothing was done")
