"""Scans every version of every file that a repository's history holds, without a checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from jupyter_qguard.cli.pool import NOTHING, FileResult, named, scan_data
from jupyter_qguard.errors import UsageError
from jupyter_qguard.scan import Scanner, ScanSettings

_SUBMODULE = "160000"
"""Mode of an entry that is a commit of another repository, and no file."""
_SETTINGS = ("log.showRoot=true", "log.showSignature=false", "color.ui=false")
"""What a user's own settings could change about the list."""


def scan_history(
    folder: Path, settings: ScanSettings, since: str, limit: int, announce: Callable[[str], None]
) -> Iterator[FileResult]:
    """Scan each blob once, under the path and the first commit that brought it.

    Raises
    ------
    UsageError
        *folder* is in no git repository, or git is not installed.
    """
    scanner = Scanner.load(settings, announce=announce)
    blobs = _blobs(folder, since)
    command = ["git", "-C", str(folder), "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:  # noqa: S603 - no shell
        assert reader.stdin is not None and reader.stdout is not None  # noqa: S101, PT018 - both are pipes
        for blob, (commit, path) in blobs.items():
            reader.stdin.write(f"{blob}\n".encode())
            reader.stdin.flush()
            header = reader.stdout.readline().split()
            if len(header) != 3:
                missing = "cannot be read: this clone does not have it"
                yield named(scanner, FileResult(path, 0, NOTHING, missing, origin=commit))
                continue
            size = int(header[2])
            data = reader.stdout.read(size)
            reader.stdout.read(1)
            if size > limit:
                error = f"larger than the limit of {limit >> 20} MiB (--max-size)"
                yield named(scanner, FileResult(path, size, NOTHING, error, origin=commit))
                continue
            yield named(scanner, replace(scan_data(scanner, data, path), origin=commit))
        reader.stdin.close()


def _blobs(folder: Path, since: str) -> dict[str, tuple[str, str]]:
    """Blob id to the commit and path that brought it, oldest commit first."""
    command = ["git", "-C", str(folder)]
    for setting in _SETTINGS:
        command += ["-c", setting]
    command += ["log", "--all", "--reverse", "--format=%x00%H", "--raw", "--no-abbrev", "-z"]
    command += ["-m", "--no-renames", "--diff-filter=AMT"] + ([f"--since={since}"] if since else [])
    try:
        done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - no shell
    except FileNotFoundError:
        message = "--git-history needs git, which is not installed"
        raise UsageError(message) from None
    except subprocess.CalledProcessError:
        message = f"{folder} is in no git repository that can be read"
        raise UsageError(message) from None
    return _parse(done.stdout.decode("utf-8", "surrogateescape").split("\0"))


def _parse(fields: list[str]) -> dict[str, tuple[str, str]]:
    """Read git's list: a commit, then entries of two fields each, of which the second is a path and may be anything."""
    blobs: dict[str, tuple[str, str]] = {}
    commit = ""
    rest = iter(fields)
    for field in rest:
        text = field.strip("\n")
        if text.startswith(":"):
            _, mode, _, blob, _ = text.split()
            path = next(rest, "")
            if mode != _SUBMODULE:
                blobs.setdefault(blob, (commit, path))
        elif text:
            commit = text
    return blobs
