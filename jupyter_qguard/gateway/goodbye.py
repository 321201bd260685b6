"""The last words to a client that is refused: in the protocol that it speaks, and so that it can read them."""

from __future__ import annotations

import asyncio
import re
import socket

from jupyter_qguard.egress.refusal import TLS_ALERT
from jupyter_qguard.egress.waiting import Deadline

_RECEIVED = 16 * 1024
_TLS_HANDSHAKE = b"\x16"
_HTTP = re.compile(rb"[A-Z]{3,10} ")
_LINGER_SECONDS = 2.0
"""For a client to read why it was refused: what it still sends is thrown away, or a reset would overtake the answer."""
_LINGER_BYTES = 1 << 20


async def in_its_words(client: socket.socket, received: bytes, as_http: bytes, limit: float) -> bytes:
    """What to answer a client that speaks to its server: an alert to TLS, *as_http* to HTTP, nothing to all else.

    *received* is what it has said; where that is nothing, its first words are waited for, *limit* seconds.

    Raises
    ------
    OSError
        It is gone, or said nothing in time.
    """
    if not received:
        with Deadline(limit):
            received = await asyncio.get_running_loop().sock_recv(client, _RECEIVED)
    if received[:1] == _TLS_HANDSHAKE:
        return TLS_ALERT
    return as_http if _HTTP.match(received) else b""


async def say_goodbye(client: socket.socket, answer: bytes) -> None:
    """Send *answer* as the last there is; raises OSError if the client does not take it."""
    loop = asyncio.get_running_loop()
    left = _LINGER_BYTES
    with Deadline(_LINGER_SECONDS):
        await loop.sock_sendall(client, answer)
        client.shutdown(socket.SHUT_WR)
        while left > 0:
            more = await loop.sock_recv(client, _RECEIVED)
            if not more:
                return
            left -= len(more)
