"""A worker process: loads the rules, then scans and redacts what the server sends, until the server is gone.

Holds no policy and decides nothing. Writes to nothing but its pipe.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.errors import InputError, QGuardError
from jupyter_qguard.process import refuse_inspection
from jupyter_qguard.server import wire

if TYPE_CHECKING:
    from jupyter_qguard.scan import Scanner, ScanResult
    from jupyter_qguard.scan.cells import CellScanner

_REQUESTS: msgspec.msgpack.Decoder[wire.Request] = msgspec.msgpack.Decoder(wire.Request)
_COLLECT_EVERY = 64
"""Requests. Decoded documents have no cycles, so the collector would walk them all the time for nothing."""


class Worker:
    """Answers requests."""

    def __init__(self, channel: wire.Channel) -> None:
        """Wait for the first message, which says what to load."""
        self._channel = channel
        request = channel.receive(_REQUESTS)
        if not isinstance(request, wire.LoadRules):
            raise EOFError  # noqa: TRY004 - nobody is there to read about types
        self._scanner = self._load(request)
        self._cells = self._remembering()

    def run(self) -> None:
        """Answer until the server is gone."""
        gc.disable()
        served = 0
        while True:
            request = self._channel.receive(_REQUESTS)
            # Not to be answered if it fails: parts left in the pipe would be read as messages.
            parts = self._channel.receive_parts(request.sizes) if isinstance(request, wire.Scan) else []
            self._channel.send(self._answer(request, parts))
            self._cells.let_go()
            served += 1
            if served % _COLLECT_EVERY == 0:
                gc.collect()

    def _load(self, request: wire.LoadRules) -> Scanner:
        from jupyter_qguard.scan import Scanner, ScanSettings  # noqa: PLC0415 - a failed import must be answered

        cache = Path(request.cache_dir) if request.cache_dir else None
        settings = ScanSettings(request.fingerprint_key, request.classify, request.patterns, cache)
        return Scanner.load(settings, announce=lambda text: self._channel.send(wire.Announce(text)))

    def _answer(self, request: wire.Request, parts: list[memoryview]) -> wire.Answer:
        try:
            if isinstance(request, wire.ScanCells):
                return self._scan_cells(request, parts)
            if isinstance(request, wire.ScanFile):
                return wire.Found(self._scan_file(bytes(parts[0]), request.name))
            if isinstance(request, wire.RedactBytes):
                return wire.Redacted(redact_bytes(request))
        except InputError as error:
            return wire.Failed(wire.Fault.INPUT, str(error))
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails, the save must be refused with an answer
            return wire.Failed(wire.Fault.GUARD, _kind(error))
        return wire.Failed(wire.Fault.GUARD, "a message out of turn")

    def _remembering(self) -> CellScanner:
        from jupyter_qguard.scan.cells import CellScanner  # noqa: PLC0415 - as above

        return CellScanner(self._scanner, lambda part: msgspec.msgpack.decode(part, strict=False))

    def _scan_cells(self, request: wire.ScanCells, parts: list[memoryview]) -> wire.Found:
        self._cells.forget(request.forgotten)
        result = self._cells.scan(parts, request.places, request.base, request.number)
        return wire.Found(result, kept=request.number > 0)

    def _scan_file(self, data: bytes, name: str) -> ScanResult:
        if name.lower().endswith(".ipynb"):
            refuse_repeated_keys(data)
        return self._scanner.scan_bytes(data, name)


def redact_bytes(request: wire.RedactBytes) -> bytes:
    """The bytes of a file with its findings replaced; a notebook is written as nbformat writes it."""
    from jupyter_qguard.redact import redact_notebook, redact_text  # noqa: PLC0415 - first needed long after the start
    from jupyter_qguard.scan.notebook import parse_notebook  # noqa: PLC0415
    from jupyter_qguard.scan.text import decode_text, encode_text  # noqa: PLC0415

    if request.name.lower().endswith(".ipynb"):
        document = redact_notebook(parse_notebook(request.data), request.findings)
        text = json.dumps(document, indent=1, ensure_ascii=False, separators=(",", ": ")) + "\n"
        return text.encode("utf-8")
    return encode_text(redact_text(decode_text(request.data), request.findings), request.data)


def refuse_repeated_keys(data: bytes) -> None:
    """Refuse JSON that names a key twice in one object: a reader sees the last, the file keeps both.

    Raises
    ------
    InputError
        There is one, or a number that Jupyter could not read again. Malformed JSON passes: the scanner says better what
        is wrong with it.
    """

    def unique(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            message = "malformed notebook: an object has the same key twice"
            raise InputError(message)

    try:
        json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return
    except ValueError:  # beyond Python's limit of digits
        message = "malformed notebook: a number has too many digits"
        raise InputError(message) from None


def _kind(error: Exception) -> str:
    """What failed, without the message of a foreign error."""
    return str(error) if isinstance(error, QGuardError) else type(error).__name__


def main() -> None:
    """Run as the child of a server: pipes are standard input and output."""
    refuse_inspection()
    reader = os.fdopen(os.dup(0), "rb", buffering=0)
    writer = os.fdopen(os.dup(1), "wb", buffering=0)
    # Whatever a library prints must not get between the messages.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    channel = wire.Channel(reader, writer)
    try:
        worker = Worker(channel)
        channel.send(wire.Ready(os.getpid()))
        worker.run()
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the server must learn why there are no rules
        channel.send(wire.Failed(wire.Fault.GUARD, _kind(error)))


if __name__ == "__main__":
    main()
