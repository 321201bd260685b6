"""What a kernel writes past Jupyter, to its raw standard output and error: read, so that it does not block, and dropped.

It can hold anything that the kernel holds, so it must reach neither the server's log nor a file. What stub, bubblewrap
and probe say before there is a kernel is kept, to name the reason when they fail; and the last of what a kernel writes that
has not begun to run what people wrote, for the same.
"""

from __future__ import annotations

import os
import threading

_KEPT = 16384
"""Bytes; a reason is shorter, also one that names two of the longest paths."""


class RawOutput:
    """A pipe and the thread that reads it."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        self._said = bytearray()
        self._quiet = self._rolling = False
        self._lock = threading.Lock()
        self.dropped = 0
        """Bytes that a kernel wrote."""
        self._thread = threading.Thread(target=self._read, name="qguard-output", daemon=True)
        self._thread.start()

    def close_writer(self) -> None:
        """To be called when the program that writes has been started."""
        os.close(self.writer)

    def drop_from_now(self) -> None:
        """Keep nothing any longer: what is written now is the kernel's."""
        with self._lock:
            self._quiet = True
            self._said.clear()

    def keep_the_last(self) -> None:
        """There is a kernel now: of what is written only the last is kept, until :meth:`drop_from_now`."""
        with self._lock:
            self._rolling = True
            self._said.clear()

    def said(self) -> str:
        """The end of :meth:`line`, short enough for a message."""
        return self.line()[-500:]

    def line(self) -> str:
        """What was written until the program ended, in one line."""
        self._thread.join(timeout=1)
        text = bytes(self._said).decode(errors="replace")
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())

    def _read(self) -> None:
        with os.fdopen(self._reader, "rb", buffering=0) as pipe:
            while chunk := pipe.read(65536):
                with self._lock:
                    if self._quiet or self._rolling:
                        self.dropped += len(chunk)
                    if self._rolling and not self._quiet:
                        self._said = (self._said + chunk)[-_KEPT:]
                    elif not self._quiet and len(self._said) < _KEPT:
                        self._said += chunk[:_KEPT]
