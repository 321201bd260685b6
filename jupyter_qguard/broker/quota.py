"""Counts what was done under an access entry, and says when there is room again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from jupyter_qguard.policy.model import QuotaPeriod

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.policy.model import Operation, Quota

SECONDS = {QuotaPeriod.MINUTE: 60, QuotaPeriod.HOUR: 3600, QuotaPeriod.DAY: 86400, QuotaPeriod.WEEK: 604800}
"""Of each period."""


class QuotaBook:
    """The operations of all kernels of one person, by access entry: a second kernel brings no second quota."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, Operation], deque[float]] = {}

    def wait(self, entry: str, operation: Operation, quota: Quota, now: float) -> float:
        """Seconds until one more may be done; 0 where it may be now. It is not counted by asking."""
        done = self._done.setdefault((entry, operation), deque())
        period = SECONDS[quota.period]
        while done and done[0] <= now - period:
            done.popleft()
        if len(done) < quota.count:
            return 0.0
        return done[len(done) - quota.count] + period - now if quota.count else float(period)

    def knows(self, entry: str, operation: Operation) -> bool:
        """Whether anything was asked, counted or recalled of it."""
        return (entry, operation) in self._done

    def recall(self, entry: str, operation: Operation, times: Iterable[float]) -> None:
        """It was done at *times*, oldest first, before this book was opened."""
        self._done.setdefault((entry, operation), deque()).extend(times)

    def count(self, entry: str, operation: Operation, now: float) -> None:
        """One more goes out."""
        self._done.setdefault((entry, operation), deque()).append(now)

    def take_back(self, entry: str, operation: Operation) -> None:
        """The last one counted did not go out after all."""
        done = self._done.get((entry, operation))
        if done:
            done.pop()
