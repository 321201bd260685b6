"""How a refusal reaches the person: one line, in the words of the protocol that the client speaks."""

from __future__ import annotations

import enum
import re

_LONG_LABEL = 24
"""Characters; names of services that people give have fewer, encoded data has more."""
_MANY_LABELS = 6
_RANDOM = re.compile(r"(?=(?:[^0-9]*[0-9]){3})(?=(?:[^a-z]*[a-z]){3})[a-z0-9]{12,}")
_SHOWN = 4
_MAX_REASON = 400


class Status(enum.Enum):
    """Whose fault a refusal is."""

    BAD_REQUEST = (400, "Bad Request")
    FORBIDDEN = (403, "Forbidden")
    UNKNOWN_CLIENT = (407, "Proxy Authentication Required")
    BUSY = (429, "Too Many Requests")
    UNREACHABLE = (502, "Bad Gateway")
    UNAVAILABLE = (503, "Service Unavailable")


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PONG = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
_CHALLENGE = 'Proxy-Authenticate: Basic realm="qguard"\r\n'
TLS_ALERT = bytes((21, 3, 3, 0, 2, 2, 49))
"""A fatal alert ``access_denied`` (RFC 8446, section 6): all that can be said inside a TLS handshake."""


def http_refusal(status: Status, reason: str) -> bytes:
    """The answer of the proxy. The reason stands in the status line too, since most clients of CONNECT show only that."""
    code, phrase = status.value
    line = one_line(reason)
    body = f"qguard: {line}\n".encode()
    challenge = _CHALLENGE if status is Status.UNKNOWN_CLIENT else ""
    head = (
        f"HTTP/1.1 {code} {phrase}: qguard: {line}\r\n{challenge}"
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


def shown_host(name: str) -> str:
    """*name* fit for a record: a name that a kernel asks for can be made of whatever the kernel holds.

    Of labels that are long, or look like a key, the first four characters are left; of a name with many labels the
    last. Nothing stops data that is cut into short words: the record is private, and is not the way out.
    """
    labels = [f"{label[:_SHOWN]}…" if _unlike_a_word(label) else label for label in name.split(".")]
    if len(labels) > _MANY_LABELS:
        labels = ["…", *labels[-_MANY_LABELS:]]
    return ".".join(labels)


def _unlike_a_word(label: str) -> bool:
    return len(label) > _LONG_LABEL or bool(_RANDOM.search(label))
