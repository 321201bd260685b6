"""What one kernel may ask of the gateway: enough for any notebook, too little to be in the way of other kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_REMEMBERED = 512
_SHORTEST = 0.01
"""Seconds: nobody asks again at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one kernel, unless it says otherwise."""

    connections: int = 256
    """Open at once; a browser has 256 in all, botocore's pool 10."""
    unfinished: int = 64
    """Connections that have not become a tunnel yet; more wait in the queue of the listener."""
    opened_per_second: float = 200.0
    """More wait in the queue of the listener."""
    questions_per_second: float = 500.0
    """For names, over UDP; more wait in the socket's buffer, and are dropped there when it is full."""
    refusals_per_second: float = 5.0
    """Different ones, each with a record of its own; a kernel must not fill the disk that the audit log lies on."""
    refusals_at_once: float = 200.0
    destinations_per_second: float = 5.0
    """Different ones that are let through, for the same reason; more wait, as each must have its record."""
    destinations_at_once: float = 200.0
    first_words_seconds: float = 10.0
    """For the head of a request, and again for the TLS greeting."""
    refused_words_seconds: float = 2.0
    """For what a client says that is refused anyway: to answer in its own protocol."""
    idle_seconds: float = 3600.0
    """Without a byte in either direction: long polls and idle kernels' WebSockets take minutes."""
    asked_per_second: float = 50.0
    """Over the control channel; more wait in the socket's buffer, and then in the kernel."""
    questions_per_stream: int = 100
    """For names, over one TCP connection."""


class Bucket:
    """So many a second on average, and some at once."""

    def __init__(self, rate: float, now: float, burst: float = 0.0) -> None:
        """Full at *now*, in seconds of any clock that never goes back; *burst* at once, or a second's worth."""
        self._rate, self._most, self._then = rate, burst or rate, now
        self._left = self._most

    def take(self, now: float) -> bool:
        """Whether one more may pass at *now*."""
        self._left = min(self._most, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def seconds(self) -> float:
        """How long to wait for the next one."""
        return max(0.0, (1 - self._left) / self._rate)


class RecordLimit:
    """Of how many different things a record may be begun: equal ones are counted with the first for a while."""

    def __init__(self, rate: float, now: float, burst: float, window: float) -> None:
        """*rate* a second and *burst* at once; *window* is the seconds for which equal ones are counted together."""
        self._bucket, self._window = Bucket(rate, now, burst), window
        self._begun: dict[Hashable, float] = {}

    def wait(self, what: Hashable, now: float) -> float:
        """Seconds until there can be a record of *what*; 0 if there is one."""
        since = self._begun.get(what)
        if since is not None and now - since < self._window:
            return 0.0
        if not self._bucket.take(now):
            return max(self._bucket.seconds, _SHORTEST)
        self._begun.pop(what, None)
        while len(self._begun) >= _REMEMBERED:
            del self._begun[next(iter(self._begun))]
        self._begun[what] = now
        return 0.0
