"""Refusals for the person at the notebook: the first of its kind, and never so many that nobody reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.gateway.control import Refused
from jupyter_qguard.gateway.limits import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW_SECONDS = 10.0
"""As the audit log counts equal refusals."""
_A_SECOND = 5.0
_REMEMBERED = 256


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
