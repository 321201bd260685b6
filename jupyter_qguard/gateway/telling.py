"""Refusals for the person: to the owner the first of its kind, to the kernel's own part what came since it last asked.

Never so many that nobody reads them, and never so many that they fill the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_qguard.gateway.control import Refused
from jupyter_qguard.gateway.limits import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW_SECONDS = 10.0
"""As the audit log counts equal refusals."""
_A_SECOND = 5.0
_REMEMBERED = 256
_UNTOLD = 32
"""Hosts; a cell shows fewer."""


class Telling:
    """The refusals of one kernel on their way to its person."""

    def __init__(self, offer: Callable[[Refused], bool], clock: Callable[[], float]) -> None:
        """*offer* hands one over if it can; *clock* gives seconds that never go back."""
        self._offer, self._clock = offer, clock
        self._bucket = Bucket(_A_SECOND, clock())
        self._told: dict[Refused, float] = {}

    def tell(self, refused: Refused) -> None:
        """Say it, unless the same was just said, or too much was."""
        now = self._clock()
        since = self._told.get(refused)
        if since is not None and now - since < _WINDOW_SECONDS:
            return
        if not self._bucket.take(now) or not self._offer(refused):
            return
        self._told.pop(refused, None)
        while len(self._told) >= _REMEMBERED:
            del self._told[next(iter(self._told))]
        self._told[refused] = now


class Untold:
    """What was refused to one kernel since it last asked; the first of each host, and how often."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, int], tuple[Refused, int]] = {}
        self._more = 0

    def add(self, refused: Refused) -> bool:
        """Keep it; whether it is the first since the kernel asked."""
        first = not self._refused
        where = (refused.host, refused.port)
        if where in self._refused or len(self._refused) < _UNTOLD:
            earlier, count = self._refused.get(where, (refused, 0))
            self._refused[where] = earlier, count + 1
        else:
            self._more += 1
        return first

    def take(self) -> dict[str, Any]:
        """All of it, which is then forgotten."""
        refused, self._refused = self._refused, {}
        more, self._more = self._more, 0
        told = [
            {"host": each.host, "port": each.port, "reason": each.reason, "rule": each.rule, "count": count}
            for each, count in refused.values()
        ]
        return {"refusals": told, "more": more}
