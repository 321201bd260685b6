"""Talking to the guard's doors by hand: requests to the proxy, greetings of TLS, questions for names."""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import closing, suppress

from .base import proxy, resolver


def tell(data: bytes, then: bytes = b"", *, pieces: int = 0, wait: float = 1.0) -> str:
    """Send *data* to the proxy, and *then* whatever it answers; its first answer's line."""
    with closing(socket.create_connection(proxy(), 2)) as end:
        end.settimeout(wait)
        for at in range(0, len(data), pieces or len(data)):
            end.sendall(data[at : at + (pieces or len(data))])
            if pieces:
                time.sleep(0.01)
        answer = b""
        with suppress(OSError):
            answer = end.recv(4096)
        if then:
            with suppress(OSError):
                end.sendall(then)
                answer += end.recv(4096)
        return answer.split(b"\n")[0].decode("latin-1").strip() or "closed without a word"


def connect(authority: str | bytes, then: bytes = b"", **more: object) -> str:
    """Ask the proxy for a tunnel."""
    raw = authority if isinstance(authority, bytes) else authority.encode("utf-8")
    return tell(b"CONNECT " + raw + b" HTTP/1.1\r\nHost: " + raw + b"\r\n\r\n", then, **more)  # type: ignore[arg-type]


def block(data: bytes, size: int = 2) -> bytes:
    """*data* behind its length."""
    return len(data).to_bytes(size, "big") + data


def server_name(name: bytes) -> bytes:
    """The extension that names *name*."""
    return struct.pack(">H", 0) + block(block(b"\0" + block(name)))


def hello(nonce: str, extensions: bytes | None, *, version: bytes = b"\x03\x03") -> bytes:
    """The message that greets, with the nonce in what is random; without the record's head."""
    random = nonce.encode().ljust(32, b"r")
    body = version + random + block(b"", 1) + block(b"\x13\x01\x13\x02\xc0\x2f") + block(b"\0", 1)
    groups = struct.pack(">H", 10) + block(block(b"\x00\x1d\x00\x17"))
    versions = struct.pack(">H", 43) + block(block(b"\x03\x04\x03\x03", 1))
    if extensions is not None:
        body += block(groups + versions + extensions)
    return b"\x01" + block(body, 3)


def record(message: bytes, pieces: int = 0) -> bytes:
    """*message* in one record, or in several of at most *pieces* bytes."""
    size = pieces or len(message)
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + block(part) for part in parts)


def greet(authority: str, data: bytes, *, pieces: int = 0) -> str:
    """Ask for a tunnel, then send *data*, at once or in pieces."""
    with closing(socket.create_connection(proxy(), 2)) as end:
        end.settimeout(1.5)
        end.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        answer = end.recv(4096)
        if b" 200 " not in answer:
            return answer.split(b"\r\n")[0].decode("latin-1")
        with suppress(OSError):
            for at in range(0, len(data), pieces or len(data)):
                end.sendall(data[at : at + (pieces or len(data))])
                if pieces:
                    time.sleep(0.005)
            return f"tunnel, then {end.recv(100)!r}"
        return "tunnel, then closed"


def labels(name: bytes) -> bytes:
    """*name* as it stands in a question."""
    return b"".join(block(label, 1) for label in name.rstrip(b".").split(b".")) + b"\0"


def question(
    name: bytes,
    kind: int = 1,
    *,
    of: int = 1,
    flags: int = 0x0100,
    counts: tuple[int, int, int, int] = (1, 0, 0, 0),
    more: bytes = b"",
) -> bytes:
    """A question for *name*."""
    head = os.urandom(2) + struct.pack(">HHHHH", flags, *counts)
    return head + labels(name) + struct.pack(">HH", kind, of) + more


def ask(message: bytes, server: str = "", *, stream: bool = False, port: int = 53) -> bytes:
    """The answer of the name service to *message*."""
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    with closing(socket.socket(socket.AF_INET, kind)) as end:
        end.settimeout(1.5)
        end.connect((server or resolver(), port))
        end.sendall(block(message) if stream else message)
        return end.recv(4096)


def code(answer: bytes) -> str:
    """What an answer says."""
    return f"answer with code {answer[3] & 15}" if len(answer) > 3 else "no answer"
