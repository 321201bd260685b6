"""Bytes both ways between two sockets, as they come: half-close, back-pressure, an end to what stands idle.

On the bare sockets and the loop's readiness, without streams and transports: what was received is sent from the same
buffer in the same turn, so that a connection holds no memory but what its receiver has not taken yet, and nothing more
is read until it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

_CHUNK = 128 * 1024
"""Bytes taken in one turn; larger ones gain nothing and hold the other connections up."""
_room = memoryview(bytearray(_CHUNK))
"""Of all connections: it is empty again at the end of each turn. One thread, one loop."""


class _Way:
    """One direction."""

    __slots__ = ("_from", "_left", "_relay", "_sink", "_source", "_to", "over")

    def __init__(self, relay: Relay, source: socket.socket, sink: socket.socket) -> None:
        self._relay, self._source, self._sink = relay, source, sink
        # The loop is given numbers: of an object it would make a text at each change, and throw it away.
        self._from, self._to = source.fileno(), sink.fileno()
        self._left: memoryview | None = None
        self.over = False

    def start(self) -> None:
        self._relay.loop.add_reader(self._from, self._readable)

    def _readable(self) -> None:
        try:
            count = self._source.recv_into(_room)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._relay.end()
            return
        self._relay.moved = self._relay.loop.time()
        if count:
            self.send(_room[:count])
            return
        self._relay.loop.remove_reader(self._from)
        self.over = True
        # The other side may have gone meanwhile, and then has nothing to be told.
        with contextlib.suppress(OSError):
            self._sink.shutdown(socket.SHUT_WR)
        self._relay.way_over()

    def send(self, data: memoryview) -> None:
        """Send *data*; read no more until the last of it is taken."""
        try:
            sent = self._sink.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._relay.end()
            return
        if sent < len(data):
            self._left = memoryview(bytes(data[sent:]))
            self._relay.loop.remove_reader(self._from)
            self._relay.loop.add_writer(self._to, self._writable)

    def _writable(self) -> None:
        assert self._left is not None  # noqa: S101 - added by `send` only
        try:
            sent = self._sink.send(self._left)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._relay.end()
            return
        self._relay.moved = self._relay.loop.time()
        self._left = self._left[sent:]
        if not self._left:
            self._left = None
            self._relay.loop.remove_writer(self._to)
            self._relay.loop.add_reader(self._from, self._readable)


class Relay:
    """Joins two connected sockets that do not block, which stay the caller's to close."""

    def __init__(self, one: socket.socket, other: socket.socket, idle_seconds: float, first: bytes = b"") -> None:
        """*first* has been received from *one* already. Ends when nothing moves for *idle_seconds*."""
        self._first = first
        self.loop = asyncio.get_running_loop()
        self._numbers = (one.fileno(), other.fileno())
        self._ways = (_Way(self, one, other), _Way(self, other, one))
        self._idle_seconds = idle_seconds
        self._done = self.loop.create_future()
        self._watch: asyncio.TimerHandle
        self.moved = self.loop.time()
        """When, by the loop's clock, the last byte was seen."""

    async def run(self) -> None:
        """Pass bytes on until both sides are done, one of them breaks off, or nothing has moved for too long."""
        self._watch = self.loop.call_later(self._idle_seconds, self._look)
        for way in self._ways:
            way.start()
        if self._first:
            self._ways[0].send(memoryview(self._first))
        try:
            await self._done
        finally:
            self._watch.cancel()
            self.end()

    def _look(self) -> None:
        left = self.moved + self._idle_seconds - self.loop.time()
        if left <= 0:
            self.end()
        else:
            self._watch = self.loop.call_later(left, self._look)

    def way_over(self) -> None:
        """Called by a direction that is done."""
        if all(way.over for way in self._ways):
            self.end()

    def end(self) -> None:
        """Stop at once."""
        for each in self._numbers:
            self.loop.remove_reader(each)
            self.loop.remove_writer(each)
        if not self._done.done():
            self._done.set_result(None)
