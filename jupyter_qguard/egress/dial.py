"""Opens the connection to a checked address, or the tunnel through the proxy that this machine must use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_qguard.egress.waiting import Deadline, until_ready
from jupyter_qguard.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.policy.address import Address
    from jupyter_qguard.policy.destination import Destination

_ATTEMPT_SECONDS = 4.0
"""For one address while there are others."""
_LAST_SECONDS = 15.0
_MAX_ADDRESSES = 6
_MAX_ANSWER = 16 * 1024
_END = b"\r\n\r\n"


class UnreachableError(OutsideError):
    """Nobody answered, or the proxy of the machine refused."""

    code = "unreachable"


async def dial(addresses: Sequence[Address], port: int) -> tuple[socket.socket, Address]:
    """A connection to the first of *addresses* that answers, and which it is.

    Raises
    ------
    UnreachableError
        None did.
    """
    tried = _alternating(addresses)[:_MAX_ADDRESSES]
    problem = "no address"
    for position, address in enumerate(tried):
        limit = _LAST_SECONDS if position == len(tried) - 1 else _ATTEMPT_SECONDS
        try:
            with Deadline(limit):
                return await _connected(address, port), address
        except TimeoutError:
            problem = "no answer"
        except OSError as error:
            problem = os.strerror(error.errno) if error.errno else "no connection"
    raise UnreachableError(problem)


def _alternating(addresses: Sequence[Address]) -> list[Address]:
    """The families by turns (RFC 8305, section 4): a machine whose IPv6 leads nowhere soon tries IPv4."""
    first = [each for each in addresses if each.version == addresses[0].version]
    second = [each for each in addresses if each.version != addresses[0].version]
    mixed = [each for pair in zip(first, second, strict=False) for each in pair]
    shorter = min(len(first), len(second))
    return mixed + first[shorter:] + second[shorter:]


async def _connected(address: Address, port: int) -> socket.socket:
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server that vanished is noticed, though the connection may stand idle for long.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(made, (str(address), port))
    except BaseException:
        made.close()
        raise
    return made


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """The proxy of the machine. It resolves names itself, so that addresses are its operator's to check."""

    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> UpstreamProxy:
        """The proxy at *url*, which the policy has checked.

        Raises
        ------
        UnreachableError
            It is to be spoken to with TLS, which the gateway does not do.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            message = "the policy's `egress.upstream_proxy` must be an http:// URL"
            raise UnreachableError(message)
        return cls(parts.hostname, parts.port or 80)

    async def tunnel(self, addresses: Sequence[Address], destination: Destination) -> socket.socket:
        """A tunnel to *destination* through the proxy, which has *addresses*.

        Raises
        ------
        UnreachableError
            The proxy does not answer, or refuses.
        """
        made, _ = await dial(addresses, self.port)
        try:
            with Deadline(_LAST_SECONDS):
                await _ask(made, destination)
        except OSError:
            made.close()
            message = "the proxy of this machine does not answer"
            raise UnreachableError(message) from None
        except BaseException:
            made.close()
            raise
        return made


async def _ask(proxy: socket.socket, destination: Destination) -> None:
    loop = asyncio.get_running_loop()
    host = f"[{destination.host}]" if ":" in destination.host.name else destination.host.name
    target = f"{host}:{destination.port}"
    await loop.sock_sendall(proxy, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
    answer = b""
    while _END not in answer:
        # Byte for byte would be exact; a server that speaks first must not be cut, so the head is peeked at.
        seen = await _peek(proxy)
        end = (answer + seen).find(_END)
        wanted = len(seen) if end < 0 else end + len(_END) - len(answer)
        answer += proxy.recv(wanted)
        if len(answer) > _MAX_ANSWER:
            break
    status = answer[:12].split(b" ")
    if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].startswith(b"2"):
        code = status[1].decode("ascii", "replace") if len(status) > 1 and status[1].isdigit() else "nonsense"
        message = f"the proxy of this machine answers {code}"
        raise UnreachableError(message)


async def _peek(connection: socket.socket) -> bytes:
    """What has arrived on *connection*, which stays there; waits for the first of it."""
    while True:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            seen = connection.recv(_MAX_ANSWER, socket.MSG_PEEK)
            if not seen:
                raise ConnectionResetError
            return seen
        await until_ready(connection)
