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
    from jupyter_qguard.server.prepared import Prepared
    from jupyter_qguard.server.signature import Signature


@dataclass(slots=True, eq=False)
class Passage:
    """One cleared write that is going on. Not frozen: it ends, and whoever inherited it must see that."""

    path: str
    content: Any
    """The very object that was handed to the contents manager."""
    clearance: Clearance | None
    """None for what cannot hold text: a folder."""
    whole: bool = True
    """False for one chunk of an upload that was cleared as a whole."""
    pending: Pending | None = None
    """The decision, where the write has begun before it was made."""
    prepared: Prepared | None = None
    """What was scanned of ``content``, where others could still change it: a notebook that came from outside."""
    is_compared: bool = False
    """Whether the copy that the contents manager made of it was found to be what was scanned."""
    left: Signature | None = None
    """Of the file as the contents manager left it, once it has."""
    is_open: bool = True
    """False when the write is over: tasks that it started live on in copies of its context."""


_GOING_ON: ContextVar[tuple[Passage, ...]] = ContextVar("qguard_passages", default=())


@contextmanager
def passing(passage: Passage) -> Iterator[None]:
    """While the contents manager writes what was cleared."""
    token = _GOING_ON.set((*_GOING_ON.get(), passage))
    try:
        yield
    finally:
        passage.is_open = False
        _GOING_ON.reset(token)


def begun() -> tuple[Passage, ...]:
    """The writes in which this context began, be they over or not, innermost last."""
    return _GOING_ON.get()


def going_on() -> tuple[Passage, ...]:
    """The writes that are going on in this context, innermost last."""
    return tuple(passage for passage in _GOING_ON.get() if passage.is_open)


def passage_of(path: str) -> Passage | None:
    """The innermost cleared write of *path* in this context."""
    path = path.strip("/")
    return next((passage for passage in reversed(going_on()) if passage.path == path), None)
