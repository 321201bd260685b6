"""Scans files: in this process if there is little to read, else in forked workers that share the loaded rules."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from jupyter_qguard.cli.forked import MOST_TASKS, available, in_forks
from jupyter_qguard.errors import InputError
from jupyter_qguard.redact.pathname import masked, may_hold_a_secret, text_of
from jupyter_qguard.scan import Scanner, ScanResult, ScanSettings
from jupyter_qguard.scan.binary import is_binary

SMALL = 4 << 20
"""Bytes below which a pool costs more than it saves."""
_BATCH = 2 << 20
"""Bytes that a worker takes at a time, at the least."""
_OPENING = 4096
"""Bytes that could be scanned in the time it takes to open a file."""
_YOUNGEST = 0
NOTHING = ScanResult(())


@dataclass(frozen=True, slots=True)
class FileResult:
    """What the scan of one file gave."""

    path: str
    size: int
    result: ScanResult
    error: str = ""
    binary: bool = False
    origin: str = ""
    """Commit, for a file of a repository's history."""


def scan_files(
    files: Sequence[Path], settings: ScanSettings, jobs: int, announce: Callable[[str], None], limit: int
) -> Iterator[FileResult]:
    """Scan *files*; results come as they are ready. Files over *limit* bytes are errors.

    Raises
    ------
    GuardFailureError
        A worker was ended: what it was to read has not been read.
    """
    scanner = Scanner.load(settings, announce=announce)
    sized = sorted(((_size(path), path) for path in files), key=lambda item: (-item[0], str(item[1])))
    total = sum(size for size, _ in sized)
    if jobs < 2 or total < SMALL or not available():
        for _, path in sized:
            yield scan_file(scanner, path, limit)
        return
    batches = list(_batches(sized))
    gc.freeze()  # documents have no cycles, and the collector would walk them all the time for nothing
    gc.disable()
    try:
        for answer in in_forks(lambda number: _scan_batch(scanner, batches[number], limit), len(batches), jobs):
            yield from msgspec.convert(json.loads(answer), list[FileResult])
    finally:
        gc.enable()
        gc.unfreeze()


def named(scanner: Scanner, result: FileResult) -> FileResult:
    """*result* under a name that can be shown, with what was found in the name besides."""
    found = scanner.scan_text(text_of(result.path)).findings if may_hold_a_secret(result.path) else ()
    if not found:
        return result
    first = tuple(replace(finding, line=1) for finding in found)  # a place that each file has
    whole = replace(result.result, findings=(*first, *result.result.findings))
    return replace(result, path=masked(result.path, found), result=whole)


def scan_file(scanner: Scanner, path: Path, limit: int) -> FileResult:
    """Scan one file and its name. Never raises for what the file holds."""
    return named(scanner, _read_and_scan(scanner, path, limit))


def _read_and_scan(scanner: Scanner, path: Path, limit: int) -> FileResult:
    name = path.as_posix()
    try:
        size = path.stat().st_size
        if size > limit:
            return FileResult(name, size, NOTHING, f"larger than the limit of {limit >> 20} MiB (--max-size)")
        data = path.read_bytes()
    except OSError as error:
        return FileResult(name, 0, NOTHING, f"cannot be read: {error.strerror}")
    return scan_data(scanner, data, name)


def scan_data(scanner: Scanner, data: bytes, name: str) -> FileResult:
    """Scan bytes under a name."""
    binary = not name.lower().endswith(".ipynb") and is_binary(data)
    try:
        return FileResult(name, len(data), scanner.scan_bytes(data, name, glance=True), binary=binary)
    except InputError as error:
        return FileResult(name, len(data), NOTHING, str(error))


def default_jobs() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _scan_batch(scanner: Scanner, files: list[Path], limit: int) -> bytes:
    results = [scan_file(scanner, path, limit) for path in files]
    gc.collect(_YOUNGEST)
    return json.dumps(msgspec.to_builtins(results)).encode()  # names may be no UTF-8, which msgspec's own JSON must be


def _batches(sized: list[tuple[int, Path]]) -> Iterator[list[Path]]:
    """Big files first and alone, so that the workers finish together."""
    least = max(_BATCH, sum(size + _OPENING for size, _ in sized) // (MOST_TASKS - 1))
    batch: list[Path] = []
    weight = 0
    for size, path in sized:
        batch.append(path)
        weight += size + _OPENING
        if weight >= least:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
