"""TLS over a bare socket that does not block: what a client has said already is part of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

_CHUNK = 64 * 1024


class SecureStream:
    """One side of a TLS connection. The socket stays the caller's to close."""

    def __init__(
        self,
        connection: socket.socket,
        context: ssl.SSLContext,
        *,
        server_name: str | None = None,
        received: bytes = b"",
    ) -> None:
        """Be the server, or with *server_name* the client of it. *received* was read from the socket already."""
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._in.write(received)
        self._tls = context.wrap_bio(self._in, self._out, server_side=server_name is None, server_hostname=server_name)

    @property
    def protocol(self) -> str:
        """What was agreed upon (ALPN); HTTP/1.1 where nothing was."""
        return self._tls.selected_alpn_protocol() or "http/1.1"

    @property
    def quiet(self) -> bool:
        """Whether the other side has said nothing since the last answer: no end, no alert."""
        try:
            self._connection.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return not self._in.pending
        except OSError:
            pass
        return False

    async def handshake(self) -> None:
        """Agree with the other side. Raises ssl.SSLError, or OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
                continue
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    await self._flush()  # the alert tells the other side why
                raise
            await self._flush()
            return

    async def read(self) -> bytes:
        """What the other side says next; empty when it is done. Raises OSError."""
        while True:
            try:
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill(at_end=b""):
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    async def write(self, data: bytes) -> None:
        """Say *data*. Raises OSError."""
        if data:
            self._tls.write(data)
            await self._flush()

    def sever(self) -> None:
        """Break off, whoever waits for what."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Say that nothing more comes."""
        with contextlib.suppress(OSError):
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLError):
                self._tls.unwrap()
            await self._flush()

    async def _flush(self) -> None:
        waiting = self._out.read()
        if waiting:
            await self._loop.sock_sendall(self._connection, waiting)

    async def _fill(self, at_end: bytes | None = None) -> bool:
        """Take in what has arrived; false at the end where *at_end* allows one."""
        more = await self._loop.sock_recv(self._connection, _CHUNK)
        if more:
            self._in.write(more)
            return True
        if at_end is None:
            raise ConnectionResetError
        # Without the closing alert: whoever needs to know where a body ends knows it from its framing.
        return False
