"""What of a request's and an answer's headers goes on, and the answer that the broker gives itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jupyter_qguard.broker.credentials import Header
    from jupyter_qguard.broker.scrub import Scrubber

_HOP = frozenset(
    "connection keep-alive proxy-connection proxy-authorization proxy-authenticate te trailer transfer-encoding upgrade "
    "content-length expect host".split()
)
"""Of one connection (RFC 9110, section 7.6.1); length and host are written anew."""
_NOT_ONWARD = frozenset("accept-encoding accept-charset range if-range".split())
"""An answer in another coding, or in parts, could not be searched for the key."""
_OF_EXCHANGE = frozenset("content-type date server cache-control retry-after".split())
"""What an exchange's answer says besides tokens: another header could hold one more."""
_NOT_BACK = frozenset({"set-cookie", "alt-svc", "strict-transport-security", "public-key-pins"})
"""A session is one that nobody lent; another service's address would lead past the broker."""


def onward_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Header, ...]:
    """The headers of a request that are about it and not about the connection; names in lower case.

    Raises
    ------
    RequestRefusedError
        It asks for another protocol, or a header cannot be read.
    """
    listed = [(name.decode("ascii").lower(), value.decode("latin-1")) for name, value in headers]
    if any(name == "upgrade" for name, _ in listed):
        raise RequestRefusedError(Cause.GUARD, "a WebSocket cannot be brokered", status=501)
    dropped = _HOP | _NOT_ONWARD | _named(listed)
    kept = [(name, value) for name, value in listed if name not in dropped]
    return (*kept, ("accept-encoding", "identity"))


def backward_headers(headers: Iterable[tuple[bytes, bytes]], scrubber: Scrubber) -> list[tuple[str, str]]:
    """The headers of an answer for the kernel."""
    listed = [(name.decode("ascii").lower(), scrubber.whole(value).decode("latin-1")) for name, value in headers]
    dropped = (_HOP - {"content-length"}) | _NOT_BACK | _named(listed)
    return [(name, value) for name, value in listed if name not in dropped]


def exchange_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of *headers*, those that go on with the answer to a token exchange."""
    return [
        (name, value) for name, value in headers if name in _OF_EXCHANGE or name.endswith(("request-id", "trace-id"))
    ]


def check_readable(headers: Sequence[tuple[str, str]]) -> None:
    """Raises RequestRefusedError for an answer whose body cannot be searched."""
    codings = [value for name, value in headers if name == "content-encoding" and value.strip().lower() != "identity"]
    if codings:
        raise RequestRefusedError(Cause.VENDOR, "the answer is compressed, though that was not asked for", status=502)


def refusal_body(refusal: RequestRefusedError) -> bytes:
    """In the fields that the vendors' clients show: they look for ``message``, ``error``, ``detail`` or ``errors``."""
    text = f"qguard: {refusal.reason}"
    answer = {
        "message": text,
        "error": text,
        "detail": text,
        "errors": [{"code": f"qguard_{refusal.cause.value}", "message": text}],
        "cause": refusal.cause.value,
    }
    return json.dumps(answer).encode()


def _named(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(
        word.strip().lower()
        for name, value in headers
        if name == "connection"
        for word in value.split(",")
        if word.strip()
    ) - {"authorization", "content-type"}
