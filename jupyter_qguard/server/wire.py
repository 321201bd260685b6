"""What the server and its worker processes say to each other, and how it travels: MessagePack behind a length.

Documents cross a pipe and never a file or shared memory, which other processes of the user could open.
"""

from __future__ import annotations

import enum
import os
import struct
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import msgspec

from jupyter_qguard.scan.finding import Classification, Finding, ScanResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO

_LENGTH = struct.Struct(">Q")
_WRITTEN_AT_ONCE = 1024
"""Chunks; ``IOV_MAX`` of Linux and macOS."""
_READ_AHEAD = 1 << 16
_SPACE_KEPT = 64 << 20
_READ_AT_ONCE = 1 << 20
"""Bytes; the size that the pipes are asked for too."""


class LoadRules(msgspec.Struct, frozen=True, tag="load"):
    """First message to a worker: what its scanner is made from."""

    fingerprint_key: bytes
    classify: dict[str, Classification]
    patterns: dict[str, str]
    cache_dir: str | None

    def __repr__(self) -> str:
        """Without the key of the fingerprints."""
        return "LoadRules(…)"


class ScanFile(msgspec.Struct, frozen=True, tag="file"):
    """Scan the bytes of a file, which follow the message."""

    name: str
    """The ending says how they are read."""
    sizes: tuple[int]
    """How many bytes."""


class ScanCells(msgspec.Struct, frozen=True, tag="cells"):
    """Scan a notebook: its cells and, last, all that is outside of them. What the worker does not know of it follows
    the message, one part after the other."""

    places: tuple[int, ...]
    """Of each part: where it stood in the notebook *base*; -1 if it is new."""
    sizes: tuple[int, ...]
    """Bytes of each new part."""
    number: int
    """By which it is remembered; 0: not at all."""
    base: int
    """Number of a notebook that is remembered no longer then, as the worker remembers it; 0: none."""
    forgotten: tuple[int, ...]
    """Notebooks that are remembered no longer."""


class RedactBytes(msgspec.Struct, frozen=True, tag="redact"):
    """Replace *findings* in the bytes of a file."""

    name: str
    data: bytes
    findings: tuple[Finding, ...]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The rules are loaded."""

    pid: int


class Announce(msgspec.Struct, frozen=True, tag="announce"):
    """Something takes long: words for the log."""

    text: str


class Found(msgspec.Struct, frozen=True, tag="found"):
    """Outcome of a scan."""

    result: ScanResult
    kept: bool = False
    """Whether the notebook is remembered by its number."""


class Redacted(msgspec.Struct, frozen=True, tag="redacted"):
    """Outcome of a redaction."""

    data: bytes


class Fault(enum.Enum):
    """Whose fault a failure is."""

    INPUT = "input"
    """The document cannot be read; the text says why and quotes nothing."""
    GUARD = "guard"
    """The guard failed; the text names the kind of error, not its message, which could quote the document."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """No outcome."""

    fault: Fault
    text: str


Scan = ScanFile | ScanCells
Request = LoadRules | Scan | RedactBytes
Answer = Ready | Announce | Found | Redacted | Failed

M = TypeVar("M")


class Channel:
    """One end of the two pipes between the server and a worker. Not for two threads at once.

    Crosses into the system as seldom as it can: after each time the lock of the interpreter must be had again, which
    takes milliseconds beside a busy event loop.
    """

    def __init__(self, reader: FileIO, writer: FileIO) -> None:
        """Take over two unbuffered files."""
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.msgpack.Encoder()
        self._ahead = b""
        """What was read and not yet asked for."""
        self._space = bytearray()
        """For parts: the system takes longer to give new memory than to fill it."""

    def send(self, message: Request | Answer, parts: Sequence[bytes] = ()) -> None:
        """Write one message and what follows it. Raises OSError if the other end is gone."""
        body = self._encoder.encode(message)
        self._write([_LENGTH.pack(len(body)) + body, *parts])

    def receive(self, decoder: msgspec.msgpack.Decoder[M]) -> M:
        """Read one message. Raises EOFError if the other end is gone."""
        if not self._ahead:
            self._ahead = self._reader.read(_READ_AHEAD) or b""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return decoder.decode(self._read(length))

    def receive_parts(self, sizes: Sequence[int]) -> list[memoryview]:
        """Read what follows a :class:`ScanFile` or :class:`ScanCells`. The parts are good until the next call."""
        length = sum(sizes)
        if len(self._space) < length:
            self._space = bytearray(length)
        whole = memoryview(self._space)[:length]
        self._read_into(whole)
        if length > _SPACE_KEPT:
            self._space = bytearray()
        ends = list(accumulate(sizes))
        return [whole[end - size : end] for size, end in zip(sizes, ends, strict=True)]

    def close(self) -> None:
        """Close both files."""
        for file in (self._writer, self._reader):
            try:
                file.close()
            except OSError:
                continue

    def _write(self, chunks: list[bytes]) -> None:
        if not hasattr(os, "writev"):
            chunks = [b"".join(chunks)]
        for at in range(0, len(chunks), _WRITTEN_AT_ONCE):
            group = chunks[at : at + _WRITTEN_AT_ONCE]
            written = os.writev(self._writer.fileno(), group) if len(group) > 1 else self._writer.write(group[0])
            if written < sum(map(len, group)):  # a signal came between
                rest = memoryview(b"".join(group))[written:]
                while rest:
                    rest = rest[self._writer.write(rest) :]

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        self._read_into(memoryview(data))
        return data

    def _read_into(self, view: memoryview) -> None:
        start = min(len(self._ahead), len(view))
        view[:start] = self._ahead[:start]
        self._ahead = self._ahead[start:]
        view = view[start:]
        while view:
            count = self._reader.readinto(view[:_READ_AT_ONCE])
            if not count:
                raise EOFError
            view = view[count:]
