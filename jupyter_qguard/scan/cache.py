"""The files in which compiled and checked rules are kept. The one module of the scanner that writes to disk."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_ROOT = 0
_KEPT = 27
"""Compiled files that are left alone: nine of a version, and several environments may share a home."""


def default_cache_dir() -> Path:
    """The user's cache folder for compiled rules (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "jupyter-qguard" / "rules"


def prepare(folder: Path) -> bool:
    """Make the folder. Whether it can be trusted: ours, and nobody else may write there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return False
    return _is_ours(status)


def is_guarded(folder: Path) -> bool:
    """Whether nobody but root and this user may write to *folder*, which is there."""
    try:
        return _is_guarded(folder.stat())
    except OSError:
        return False


def read(path: Path) -> bytes | None:
    """A file of the folder, None if it is not there or not to be trusted."""
    try:
        with path.open("rb") as file:
            return file.read() if _is_guarded(os.fstat(file.fileno())) else None
    except OSError:
        return None


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Keep *data*, best effort: a full disk costs the next start some time and nothing else."""
    with contextlib.suppress(OSError):
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        fresh.replace(path)
        others = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda other: other.stat().st_mtime)
        for other in others[: -_KEPT - 1]:
            other.unlink(missing_ok=True)


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and _is_guarded(status))


def _is_guarded(status: os.stat_result) -> bool:
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid in (_ROOT, os.getuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
