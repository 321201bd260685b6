"""What the server and its worker processes say to each other, and how it travels: MessagePack behind a length.

Documents cross a pipe and never a file or shared memory, which other processes of the user could open.
"""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING, TypeVar

import msgspec

from jupyter_qguard.scan.finding import Classification, Finding, ScanResult

if TYPE_CHECKING:
    from io import FileIO

_LENGTH = struct.Struct(">Q")
_READ_AT_ONCE = 1 << 20
"""Bytes; the size that the pipes are asked for too."""


class LoadRules(msgspec.Struct, frozen=True, tag="load"):
    """First message to a worker: what its scanner is made from."""

    fingerprint_key: bytes
    classify: dict[str, Classification]
    patterns: dict[str, str]
    cache_dir: str | None
    memory: int
    """Bytes of encoded cells that the worker may keep."""

    def __repr__(self) -> str:
        """Without the key of the fingerprints."""
        return "LoadRules(…)"


class ScanParts(msgspec.Struct, frozen=True, tag="scan"):
    """Scan a document. A notebook comes as its cells and, last, all that is outside of them; a file as one part."""

    name: str
    notebook: bool
    keys: tuple[bytes, ...]
    """Digest of each part, in order."""
    blobs: dict[bytes, bytes]
    """The parts that the server believes the worker does not have."""


class Supply(msgspec.Struct, frozen=True, tag="supply"):
    """The parts a worker asked for with :class:`Need`."""

    blobs: dict[bytes, bytes]


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


class Need(msgspec.Struct, frozen=True, tag="need"):
    """The worker does not have these parts."""

    keys: tuple[bytes, ...]


class Found(msgspec.Struct, frozen=True, tag="found"):
    """Outcome of a scan."""

    result: ScanResult


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


Request = LoadRules | ScanParts | Supply | RedactBytes
Answer = Ready | Announce | Need | Found | Redacted | Failed

M = TypeVar("M")


class Channel:
    """One end of the two pipes between the server and a worker. Not for two threads at once."""

    def __init__(self, reader: FileIO, writer: FileIO) -> None:
        """Take over two unbuffered files."""
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.msgpack.Encoder()

    def send(self, message: Request | Answer) -> None:
        """Write one message. Raises OSError if the other end is gone."""
        body = self._encoder.encode(message)
        self._write(_LENGTH.pack(len(body)))
        self._write(body)

    def receive(self, decoder: msgspec.msgpack.Decoder[M]) -> M:
        """Read one message. Raises EOFError if the other end is gone."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return decoder.decode(self._read(length))

    def close(self) -> None:
        """Close both files."""
        for file in (self._writer, self._reader):
            try:
                file.close()
            except OSError:
                continue

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._writer.write(view) :]

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            count = self._reader.readinto(view[:_READ_AT_ONCE])
            if not count:
                raise EOFError
            view = view[count:]
        return data
