"""Marks what the guard has cleared while the contents manager writes it, so that nothing else passes beside it.

Between our decision and the disk runs code of others: the contents manager, and save hooks that may change what is
written. They run in the same context, and the last hook is ours.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.server.guard import Clearance
    from jupyter_qguard.server.late import Pending


@dataclass(frozen=True, slots=True)
class Passage:
    """One cleared write that is going on."""

    path: str
    content: Any
    """The very object that was handed to the contents manager."""
    clearance: Clearance | None
    """None for what cannot hold text: a folder."""
    whole: bool = True
    """False for one chunk of an upload that was cleared as a whole."""
    pending: Pending | None = None
    """The decision, where the write has begun before it was made."""


_GOING_ON: ContextVar[tuple[Passage, ...]] = ContextVar("qguard_passages", default=())


@contextmanager
def passing(passage: Passage) -> Iterator[None]:
    """While the contents manager writes what was cleared."""
    token = _GOING_ON.set((*_GOING_ON.get(), passage))
    try:
        yield
    finally:
        _GOING_ON.reset(token)


def going_on() -> tuple[Passage, ...]:
    """The writes that are going on in this context, innermost last."""
    return _GOING_ON.get()


def passage_of(path: str) -> Passage | None:
    """The innermost cleared write of *path* in this context."""
    path = path.strip("/")
    return next((passage for passage in reversed(_GOING_ON.get()) if passage.path == path), None)
