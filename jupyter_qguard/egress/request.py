"""The head of a request to the proxy: ``CONNECT host:port``, a plain ``GET http://host/path``, ``OPTIONS *``. Sans-io, bounded.

Parsed by hand and not by h11, because only what is certain may pass: one spelling of the request line, header lines
without folding, one Host, no body whose length two readers could understand differently (RFC 9112, section 11.2). The
head that goes on is built anew from what was understood.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.policy.destination import Destination
from jupyter_qguard.policy.host import HostError, normalise_host

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers; h11, node.js and nginx are in that range."""
_MAX_HEADERS = 100
_END = b"\r\n\r\n"
_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]{1,8000}) HTTP/1\.[01]")
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?P<port>[1-9][0-9]{0,4})")
_ABSOLUTE = re.compile(
    r"http://(?P<host>[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>[/?][\x21-\x7e]*)?",
    re.IGNORECASE,
)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_HOP = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"proxy-authorization", b"te", b"trailer"})
"""What belongs to the way from client to proxy and goes no further (RFC 9110, section 7.6.1)."""


class RequestKind(enum.Enum):
    """What the client wants of the proxy."""

    TUNNEL = "tunnel"
    PLAIN = "plain"
    PING = "ping"
    """``OPTIONS *``: whether there is a proxy, and it knows the client (RFC 9110, section 9.3.7)."""


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A request that was understood."""

    kind: RequestKind
    destination: Destination | None
    """None of a ping."""
    authorization: bytes | None = field(default=None, repr=False)
    """Value of ``Proxy-Authorization``; None where there is none, empty where there are several."""
    onward: bytes = b""
    """The head for the origin server, where the request is a plain one."""
    rest: bytes = b""
    """What came after the head."""


def parse_request(received: bytes) -> ProxyRequest | None:
    """The request at the beginning of *received*; None while more is needed.

    Raises
    ------
    WireError
        It is none that the proxy serves, or too large.
    """
    end = received.find(_END, 0, MAX_HEAD + len(_END))
    if end < 0:
        if len(received) >= MAX_HEAD:
            message = "the head of the request is too large"
            raise WireError(message)
        _refuse_early(received)
        return None
    first, *lines = received[:end].split(b"\r\n")
    found = _LINE.fullmatch(first)
    if not found:
        message = "not a request of HTTP/1.1 to a proxy"
        raise WireError(message)
    headers = _headers(lines)
    authorization = _authorization(headers)
    rest = received[end + len(_END) :]
    if found[1] == b"CONNECT":
        return ProxyRequest(RequestKind.TUNNEL, _authority(found[2].decode("ascii")), authorization, rest=rest)
    if (found[1], found[2]) == (b"OPTIONS", b"*"):
        return ProxyRequest(RequestKind.PING, None, authorization)
    destination, onward = _plain(found[1], found[2].decode("ascii"), headers)
    return ProxyRequest(RequestKind.PLAIN, destination, authorization, onward, rest)


def _refuse_early(received: bytes) -> None:
    """End a connection that cannot become a request any more: a TLS greeting sent to the proxy's port, say."""
    start = received[:20]
    if start and not re.match(rb"[A-Z]+(?: |$)", start):
        message = "not a request of HTTP/1.1 to a proxy"
        raise WireError(message)


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    if len(lines) > _MAX_HEADERS:
        message = "the request has too many headers"
        raise WireError(message)
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        found = _HEADER.fullmatch(line)
        if not found:
            message = "a header of the request is malformed"
            raise WireError(message)
        headers.append((found[1], found[2]))
    return headers


def _authorization(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    shown = [value for name, value in headers if name.lower() == b"proxy-authorization"]
    return None if not shown else shown[0] if len(shown) == 1 else b""


def _authority(text: str) -> Destination:
    found = _AUTHORITY.fullmatch(text)
    if not found:
        message = "CONNECT needs host:port and nothing else"
        raise WireError(message)
    return _destination(found["host"], int(found["port"]))


def _plain(method: bytes, target: str, headers: list[tuple[bytes, bytes]]) -> tuple[Destination, bytes]:
    """Where the request leads, and its head for the server there."""
    found = _ABSOLUTE.fullmatch(target)
    if method not in _METHODS or not found:
        message = "the proxy serves CONNECT, and plain requests for an http:// URL"
        raise WireError(message)
    destination = _destination(found["host"], int(found["port"] or 80))
    _refuse_ambiguous(headers)
    host = str(destination.host) if ":" not in str(destination.host) else f"[{destination.host}]"
    authority = host if destination.port == 80 else f"{host}:{destination.port}"
    path = found["path"] or "/"
    path = path if path.startswith("/") else f"/{path}"
    head = [b"%s %s HTTP/1.1" % (method, path.encode("ascii")), b"Host: %s" % authority.encode("ascii")]
    dropped = _HOP | _named_by_connection(headers) | {b"host"}
    head += [b"%s: %s" % each for each in headers if each[0].lower() not in dropped]
    # One request a connection: what follows it is never taken for a request that nobody decided on.
    head.append(b"Connection: close")
    return destination, b"\r\n".join(head) + _END


def _named_by_connection(headers: list[tuple[bytes, bytes]]) -> frozenset[bytes]:
    named = (each for name, value in headers if name.lower() == b"connection" for each in value.split(b","))
    kept = {b"content-length", b"transfer-encoding", b"host"}
    return frozenset(each.strip().lower() for each in named) - kept


def _refuse_ambiguous(headers: list[tuple[bytes, bytes]]) -> None:
    names = [name.lower() for name, _ in headers]
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    codings = [value.lower() for name, value in headers if name.lower() == b"transfer-encoding"]
    if names.count(b"host") > 1 or len(lengths) > 1 or (lengths and codings) or codings not in ([], [b"chunked"]):
        message = "the length or the host of the request is ambiguous"
        raise WireError(message)
    if lengths and not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
        message = "the length of the request is malformed"
        raise WireError(message)
    if b"upgrade" in names:
        message = "an upgrade needs a tunnel: use https:// or wss://"
        raise WireError(message)


def _destination(host: str, port: int) -> Destination:
    if port >= 1 << 16:
        message = "a port is a number from 1 to 65535"
        raise WireError(message)
    try:
        return Destination(normalise_host(host), port)
    except HostError:
        message = "the host of the request is none"
        raise WireError(message) from None
