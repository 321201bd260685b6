"""Tells whether a file is still as it was left."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from jupyter_qguard.server.passage import Passage

Signature = tuple[int, int, int, int, int]
"""Device, inode, size, and times of a file: changes with every write, and the last time cannot be set."""


def signature_of(file: str) -> Signature | None:
    """The signature of *file* now, None if it is not there."""
    try:
        found = os.stat(file)  # noqa: PTH116 - a string from the contents manager
    except OSError:
        return None
    return _of(found)


def is_left_as(now: Signature, left: Signature) -> bool:
    """Whether a file is as it was *left* by the program that wrote it; to be renamed changes only the last time."""
    return now[:-1] == left[:-1]


@contextmanager
def noted(passage: Passage, writing: AbstractContextManager[Any]) -> Iterator[Any]:
    """As *writing*, which opens a file; what it leaves there is noted in *passage* before another program can write."""
    with writing as file:
        yield file
        file.flush()
        passage.left = _of(os.fstat(file.fileno()))


def _of(found: os.stat_result) -> Signature:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
