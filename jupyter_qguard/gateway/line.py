"""The gateway's end of the control pair, for asyncio: nothing here waits inside of a system call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from jupyter_qguard.egress.waiting import until_ready
from jupyter_qguard.gateway.control import ToGateway, receive_message, send_message

if TYPE_CHECKING:
    import socket

    from jupyter_qguard.gateway.control import ToOwner

_decoder: msgspec.json.Decoder[ToGateway] = msgspec.json.Decoder(ToGateway)


class OwnerLine:
    """Messages from and to the owner."""

    def __init__(self, end: socket.socket) -> None:
        """*end* is the gateway's end, from now on this object's."""
        end.setblocking(False)
        self._end = end
        self._turn = asyncio.Lock()

    async def receive(self) -> tuple[ToGateway, list[int]]:
        """The next message and the descriptors beside it; raises as :func:`.control.receive_message`."""
        while True:
            try:
                return receive_message(self._end, _decoder)
            except (BlockingIOError, InterruptedError):
                await until_ready(self._end)

    async def send(self, message: ToOwner) -> None:
        """Hand *message* over: when this returns, the owner has it even if this process dies.

        Raises
        ------
        OSError
            The owner is gone.
        """
        async with self._turn:
            while True:
                try:
                    send_message(self._end, message)
                except (BlockingIOError, InterruptedError):
                    await until_ready(self._end, writing=True)
                else:
                    return

    def offer(self, message: ToOwner) -> bool:
        """Hand *message* over if that is possible at once; whether it was."""
        if self._turn.locked():
            return False
        try:
            send_message(self._end, message)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give the end back: the owner sees that the gateway is gone."""
        self._end.close()
