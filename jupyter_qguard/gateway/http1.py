"""The two halves of a brokered HTTP/1.1 connection: a server for the kernel, a client of the vendor. Framing is h11's.

What goes out is built anew from what was understood, so that no reader behind can find another request in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import h11

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from jupyter_qguard.broker.credentials import Header
    from jupyter_qguard.gateway.secure import SecureStream

    _Event: TypeAlias = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]  # noqa: PYI055 - mypy reads no other spelling

_MAX_HEAD = 64 * 1024
"""Bytes. Cookies of vendors, and handles shaped like JWTs, are long."""
_INFORMATIONAL = 200


class KernelSide:
    """Reads requests and writes answers."""

    def __init__(self, stream: SecureStream) -> None:
        self._stream = stream
        self._machine = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)

    async def request(self) -> h11.Request | None:
        """The next request; None when there is none any more.

        Raises
        ------
        RequestRefusedError
            What came is no request.
        """
        event = await self._event()
        return event if isinstance(event, h11.Request) else None

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the request, in parts. Raises RequestRefusedError, or OSError if the client goes."""
        while True:
            if self._machine.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            event = await self._event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise ConnectionResetError

    async def answer(self, status: int, reason: str, headers: Sequence[Header]) -> None:
        """Begin the answer."""
        listed = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        await self._send(h11.Response(status_code=status, headers=listed, reason=reason.encode("ascii", "replace")))

    async def data(self, data: bytes) -> None:
        """A part of the answer's body."""
        if data:
            await self._send(h11.Data(data=data))

    async def finish(self) -> None:
        """End the answer."""
        await self._send(h11.EndOfMessage())

    def again(self) -> bool:
        """Whether another request may follow; if so, the machine is ready for it."""
        if self._machine.our_state is h11.DONE and self._machine.their_state is h11.DONE:
            self._machine.start_next_cycle()
            return True
        return False

    @property
    def untouched(self) -> bool:
        """Whether no answer has been begun."""
        return self._machine.our_state in (h11.IDLE, h11.SEND_RESPONSE)

    async def _send(self, event: h11.Event) -> None:
        await self._stream.write(self._machine.send(event) or b"")

    async def _event(self) -> _Event:
        while True:
            try:
                event = self._machine.next_event()
            except h11.RemoteProtocolError:
                text = "the request is malformed, too large, or can be read in two ways"
                raise RequestRefusedError(Cause.GUARD, text, status=400) from None
            if event is not h11.NEED_DATA:
                return event
            self._machine.receive_data(await self._stream.read())


class VendorSide:
    """Writes requests and reads answers."""

    def __init__(self, stream: SecureStream, host: str) -> None:
        """*host* is what stands in the header ``Host``."""
        self._stream, self._host = stream, host
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)

    async def ask(self, method: str, target: str, headers: Sequence[Header], length: int | None) -> None:
        """Begin a request; *length* is of its body in bytes, None for one that comes in chunks."""
        listed = [("Host", self._host), *headers]
        if length is None:
            listed.append(("Transfer-Encoding", "chunked"))
        elif length or method in ("POST", "PUT", "PATCH"):
            listed.append(("Content-Length", str(length)))
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in listed]
        request = h11.Request(method=method.encode("ascii"), target=target.encode("ascii"), headers=encoded)
        await self._stream.write(self._machine.send(request) or b"")

    async def data(self, data: bytes) -> None:
        """A part of the body."""
        if data:
            await self._stream.write(self._machine.send(h11.Data(data=data)) or b"")

    async def finish(self) -> None:
        """End the request."""
        await self._stream.write(self._machine.send(h11.EndOfMessage()) or b"")

    async def answer(self) -> h11.Response:
        """The head of the answer. Raises ConnectionError where none comes that can be read."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not (isinstance(event, h11.InformationalResponse) and event.status_code < _INFORMATIONAL):
                raise ConnectionResetError

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the answer, in parts. Raises ConnectionError where it breaks off."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise ConnectionResetError

    def sever(self) -> None:
        """Break off, whoever waits for what."""
        self._stream.sever()

    def again(self) -> bool:
        """Whether the connection takes another request: the vendor has not closed it meanwhile."""
        if self._stream.quiet and self._machine.our_state is h11.DONE and self._machine.their_state is h11.DONE:
            self._machine.start_next_cycle()
            return True
        return False

    async def _event(self) -> _Event:
        while True:
            try:
                event = self._machine.next_event()
            except h11.RemoteProtocolError:
                raise ConnectionResetError from None
            if event is not h11.NEED_DATA:
                return event
            self._machine.receive_data(await self._stream.read())
