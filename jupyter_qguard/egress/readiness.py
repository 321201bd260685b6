"""Waits until a socket can be read or written, for what the loop has no call of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


async def until_ready(waiting: socket.socket, *, writing: bool = False) -> None:
    """Return when *waiting* has something to read, or (*writing*) takes something again. One waiter at a time."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    add(waiting, wake)
    try:
        await ready
    finally:
        remove(waiting)
