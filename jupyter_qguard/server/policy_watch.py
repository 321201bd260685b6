"""The policy in force for a server with several threads: looked after at every use, so that an edit holds at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.policy import LivePolicy, LoadedPolicy


class PolicyWatch:
    """Hands out the policy in force, and tells when it becomes another. Safe for several threads."""

    def __init__(self, live: LivePolicy) -> None:
        """Watch over *live*, which nobody else may use from now on."""
        self._live = live
        self._lock = threading.Lock()
        self._watchers: list[Callable[[LoadedPolicy], None]] = []

    def watch(self, watcher: Callable[[LoadedPolicy], None]) -> None:
        """Have *watcher* called, from any thread, with every policy that comes into force later."""
        self._watchers.append(watcher)

    def current(self) -> LoadedPolicy:
        """The policy in force now. Costs a few calls of ``stat``."""
        with self._lock:
            changed = self._live.refresh()
            loaded = self._live.current
            if changed:
                # Inside of the lock: whoever asks next must find the scanner's rules changed too.
                for watcher in self._watchers:
                    watcher(loaded)
        return loaded
