"""Keeps the policy of a running server up to date, without ever getting looser by accident.

An edit that cannot be used, and a file that has gone, leave the last good policy in force and say so: editors remove
and rewrite files, and a policy must not be off for that moment.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy.loaded import Origin
from jupyter_qguard.policy.lookup import FLOOR, load_policy, load_policy_or_strictest, policy_stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_qguard.policy.loaded import LoadedPolicy


class LivePolicy:
    """The policy in force, and a cheap way to notice that it changed. Not safe for two threads at once."""

    def __init__(self, *, floor_path: Path = FLOOR, environ: Mapping[str, str], home: Path, owner: int = 0) -> None:
        """Load what is there; the strictest built-in policy if that is invalid."""
        self._floor_path, self._environ, self._home, self._owner = floor_path, dict(environ), home, owner
        self._stamp = self._look()
        self._good = load_policy_or_strictest(floor_path=floor_path, environ=self._environ, home=home, owner=owner)
        self._current = self._good

    @property
    def current(self) -> LoadedPolicy:
        """The policy in force, with notices about edits that were not taken."""
        return self._current

    def refresh(self) -> bool:
        """Look whether a file changed, and take the change over if it is good.

        Returns
        -------
        bool
            True if :attr:`current` is another one now: another policy, or another notice about it.
        """
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        before = self._current
        try:
            found = load_policy(floor_path=self._floor_path, environ=self._environ, home=self._home, owner=self._owner)
        except PolicyError as error:
            self._keep(f"The policy was changed and is now invalid; the one from before stays in force: {error}")
        else:
            gone = _files(self._good) - _files(found)
            if gone and not found.strictest:
                names = ", ".join(sorted(gone))
                self._keep(f"{names} is gone; its policy stays in force until the server is started again.")
            else:
                self._good = self._current = found
        return self._current != before

    def _look(self) -> tuple[object, ...]:
        return policy_stamp(floor_path=self._floor_path, environ=self._environ, home=self._home)

    def _keep(self, notice: str) -> None:
        self._current = dataclasses.replace(self._good, notices=(*self._good.notices, notice))


def _files(loaded: LoadedPolicy) -> set[str]:
    return {source.name for source in loaded.sources if source.origin is not Origin.BUILT_IN}
