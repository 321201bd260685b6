"""Waiting, for what asyncio has no call of its own, or on Python 3.10 only one that costs a task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from types import TracebackType


async def until_ready(waiting: socket.socket, *, writing: bool = False) -> None:
    """Return when *waiting* has something to read, or (*writing*) takes something again. One waiter at a time."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    number = waiting.fileno()
    add(number, wake)
    try:
        await ready
    finally:
        remove(number)


class Deadline:
    """``with Deadline(seconds):`` ends what is awaited inside with TimeoutError. As ``asyncio.timeout`` of 3.11."""

    __slots__ = ("_handle", "_over", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._handle = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.cancel()
        if self._over and kind is asyncio.CancelledError:
            # From 3.11 on a task counts who cancelled it.
            getattr(self._task, "uncancel", int)()
            raise TimeoutError from None

    def _end(self) -> None:
        self._over = True
        if self._task is not None:
            self._task.cancel()
