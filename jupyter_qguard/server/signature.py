"""Tells whether a file is still as it was left."""

from __future__ import annotations

import os

Signature = tuple[int, int, int, int, int]
"""Device, inode, size, and times of a file: changes with every write, and the last time cannot be set."""


def signature_of(file: str) -> Signature | None:
    """The signature of *file* now, None if it is not there."""
    try:
        found = os.stat(file)  # noqa: PTH116 - a string from the contents manager
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
