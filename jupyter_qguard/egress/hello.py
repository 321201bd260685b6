"""The first message of TLS, from which the name is read that the client means (RFC 8446, section 4.1.2; RFC 6066).

Bounded and strict: a greeting that two readers could understand differently is refused. Nothing is decrypted, and the
bytes go on as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from jupyter_qguard.egress.errors import WireError

MAX_HELLO = 64 * 1024
"""Bytes of records; greetings with post-quantum key shares have about 2 KiB."""
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_MAX_RECORD = 1 << 14
_RECORD_HEADER = 5


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What matters of a greeting."""

    server_name: str
    """As it stands there; empty where the client names none."""


def parse_hello(received: bytes) -> ClientHello | None:
    """The greeting at the beginning of *received*; None while more is needed.

    Raises
    ------
    WireError
        It is no TLS greeting, malformed, or too large.
    """
    message = _handshake(received)
    if message is None:
        if len(received) >= MAX_HELLO:
            _refuse("too large")
        return None
    reader = _Reader(message)
    reader.take(2 + 32)  # version, random
    reader.take(reader.number(1))  # session
    suites = reader.take(reader.number(2))
    compression = reader.take(reader.number(1))
    if not suites or len(suites) % 2 or not compression:
        _refuse("malformed")
    name = _server_name(reader.part(2)) if reader.left else ""
    if reader.left:
        _refuse("malformed")
    return ClientHello(name)


def _handshake(received: bytes) -> bytes | None:
    """The body of the ClientHello, put together from its records."""
    body, at, wanted = b"", 0, -1
    while wanted < 0 or len(body) < wanted:
        header = received[at : at + _RECORD_HEADER]
        if header and header[0] != _HANDSHAKE:
            _refuse("not TLS")
        if len(header) > 1 and header[1] != 3:
            _refuse("not TLS")
        if len(header) < _RECORD_HEADER:
            return None
        length = int.from_bytes(header[3:5], "big")
        if not 0 < length <= _MAX_RECORD:
            _refuse("malformed")
        body += received[at + _RECORD_HEADER : at + _RECORD_HEADER + length]
        if body and body[0] != _CLIENT_HELLO:
            _refuse("not a greeting")
        if len(body) >= 4:
            wanted = 4 + int.from_bytes(body[1:4], "big")
            if wanted > MAX_HELLO:
                _refuse("too large")
        at += _RECORD_HEADER + length
        if at > len(received):  # what else stands in the record counts too
            return None
    if len(body) > wanted:
        _refuse("followed by another message in its record")
    return body[4:wanted]


def _server_name(extensions: _Reader) -> str:
    seen: set[int] = set()
    name = ""
    while extensions.left:
        kind = extensions.number(2)
        data = extensions.part(2)
        if kind in seen:
            _refuse("malformed")
        seen.add(kind)
        if kind == _SERVER_NAME:
            name = _host_name(data)
    return name


def _host_name(data: _Reader) -> str:
    names = data.part(2)
    if data.left:
        _refuse("malformed")
    if names.number(1) != _HOST_NAME:
        _refuse("malformed")
    value = names.take(names.number(2))
    if names.left or not value:
        _refuse("malformed")
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        _refuse("malformed")


class _Reader:
    """Takes numbers and parts off bytes; whatever is too short is malformed."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            _refuse("malformed")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def part(self, prefix: int) -> _Reader:
        return _Reader(self.take(self.number(prefix)))


def _refuse(problem: str) -> NoReturn:
    message = f"the TLS greeting is {problem}"
    raise WireError(message)
