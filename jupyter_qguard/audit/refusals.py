"""Counts equal refusals, so that a notebook in a loop writes one record in ten seconds and not a million."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec

from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.audit.event import AuditEvent

WINDOW_SECONDS = 10.0
_MANY = 5_000
"""Different refusals that wait at once; beyond that the oldest are due early."""
_TOO_MANY = 20_000
"""Beyond that the log is not being written, and counting on would only fill the memory."""


class RefusalCounter:
    """Holds refusals back for one window, counted from the first of its kind. Safe for many threads.

    Only refusals may wait here: nothing happens because of them, so that a crash within the window loses a count and
    never a permission.
    """

    def __init__(self, clock: Callable[[], float], window: float = WINDOW_SECONDS) -> None:
        """*clock* gives seconds that never go back; *window* is in seconds."""
        self._clock = clock
        self._window = window
        self._lock = threading.Lock()
        self._waiting: dict[AuditEvent, tuple[float, int]] = {}

    def note(self, event: AuditEvent) -> None:
        """Count *event*, whose data must have a ``count``.

        Raises
        ------
        AuditUnavailableError
            More wait than can be: nothing has been written for long.
        """
        with self._lock:
            if len(self._waiting) >= _TOO_MANY and event not in self._waiting:
                message = "refusals cannot be recorded: too many wait to be written"
                raise AuditUnavailableError(message)
            since, count = self._waiting.get(event, (self._clock(), 0))
            self._waiting[event] = since, count + 1

    def next_due(self) -> float | None:
        """When, by the clock, the next record is due; None if nothing waits."""
        with self._lock:
            oldest = min((since for since, _ in self._waiting.values()), default=None)
            return None if oldest is None else oldest + self._window

    def take_due(self, *, everything: bool = False) -> list[AuditEvent]:
        """The events, with their counts, whose window is over; or all that wait."""
        with self._lock:
            now = self._clock()
            spare = len(self._waiting) - _MANY
            due = [
                event
                for position, (event, (since, _)) in enumerate(self._waiting.items())
                if everything or position < spare or now - since >= self._window
            ]
            return [_counted(event, self._waiting.pop(event)[1]) for event in due]

    def put_back(self, events: list[AuditEvent]) -> None:
        """Take *events* back that could not be written: they are due at once."""
        with self._lock:
            for event in events:
                count = int(getattr(event.data, "count", 1))
                single = _counted(event, 1)
                waiting = self._waiting.get(single, (0.0, 0))[1]
                self._waiting[single] = self._clock() - self._window, waiting + count


def _counted(event: AuditEvent, count: int) -> AuditEvent:
    data = msgspec.structs.replace(event.data, count=count)
    return msgspec.structs.replace(event, data=data)
