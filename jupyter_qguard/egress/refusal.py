"""How a refusal reaches the person: one line, in the words of the protocol that the client speaks."""

from __future__ import annotations

import enum

_MAX_REASON = 400


class Status(enum.Enum):
    """Whose fault a refusal is."""

    BAD_REQUEST = (400, "Bad Request")
    FORBIDDEN = (403, "Forbidden")
    BUSY = (429, "Too Many Requests")
    UNREACHABLE = (502, "Bad Gateway")


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
TLS_ALERT = bytes((21, 3, 3, 0, 2, 2, 49))
"""A fatal alert ``access_denied`` (RFC 8446, section 6): all that can be said inside a TLS handshake."""


def http_refusal(status: Status, reason: str) -> bytes:
    """The answer of the proxy. The reason stands in the status line too, since most clients of CONNECT show only that."""
    code, phrase = status.value
    line = one_line(reason)
    body = f"qguard: {line}\n".encode()
    head = (
        f"HTTP/1.1 {code} {phrase}: qguard: {line}\r\n"
        f"X-Qguard-Reason: {line}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii", "replace") + body


def one_line(reason: str) -> str:
    """*reason* fit for a header: printable ASCII, one line, bounded."""
    text = "".join(char if " " <= char <= "~" else "?" for char in reason)
    return text[:_MAX_REASON]
