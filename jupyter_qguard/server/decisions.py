"""Keeps recent decisions, so that a client can ask what was found, and a person can override one of them.

In memory only, bounded in number and time; holds masked previews and fingerprints, never a value.
"""

from __future__ import annotations

import enum
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.scan.finding import Finding

KEPT = 500
"""Decisions; a few megabytes at most, since a decision keeps at most ``FINDINGS_KEPT`` findings."""
FINDINGS_KEPT = 200
KEPT_FOR = 3600.0
"""Seconds."""
OVERRIDE_FOR = 600.0
"""Seconds that an override holds: the contract's ten minutes."""


class Outcome(enum.Enum):
    """What became of a write with findings."""

    REFUSED = "refused"
    REDACTED = "redacted"
    WARNED = "warned"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Decision:
    """One write with findings."""

    id: str
    path: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    """Those the outcome is about, at most ``FINDINGS_KEPT``."""
    count: int
    """All of them."""
    fingerprints: frozenset[str]
    """Of all of them."""
    reason: str
    """Why the policy decided so."""
    made: float
    """Monotonic seconds."""

    def equals(self, path: str, outcome: Outcome, fingerprints: frozenset[str]) -> bool:
        """Whether another write would be the same decision again, as with each autosave."""
        return (self.path, self.outcome, self.fingerprints) == (path, outcome, fingerprints)


class DecisionRegister:
    """Recent decisions by id. Safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock*: monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Decision] = OrderedDict()
        self._latest: dict[str, str] = {}

    def add(self, path: str, outcome: Outcome, findings: tuple[Finding, ...], reason: str) -> tuple[Decision, bool]:
        """Keep a decision. The second value says whether it is new: an equal one of the same path keeps its id."""
        fingerprints = frozenset(finding.fingerprint for finding in findings)
        with self._lock:
            now = self._clock()
            self._forget(now)
            previous = self._kept.get(self._latest.get(path, ""))
            if previous is not None and previous.equals(path, outcome, fingerprints):
                return previous, False
            kept = findings[:FINDINGS_KEPT]
            decision = Decision(secrets.token_hex(8), path, outcome, kept, len(findings), fingerprints, reason, now)
            self._kept[decision.id] = decision
            self._latest[path] = decision.id
            return decision, True

    def get(self, identifier: str) -> Decision | None:
        """The decision of that id, if it is still kept."""
        with self._lock:
            self._forget(self._clock())
            return self._kept.get(identifier)

    def settle(self, path: str) -> None:
        """A clean write of *path*: what was decided before counts as over."""
        with self._lock:
            self._latest.pop(path, None)

    def _forget(self, now: float) -> None:
        while self._kept:
            first = next(iter(self._kept.values()))
            if len(self._kept) <= KEPT and now - first.made < KEPT_FOR:
                return
            del self._kept[first.id]
            if self._latest.get(first.path) == first.id:
                del self._latest[first.path]


class OverrideBook:
    """Which findings of which path a person let through, until when. Safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock*: monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._granted: dict[tuple[str, str], _Grant] = {}

    def grant(self, decision: Decision) -> float:
        """Let the findings of a refused write through at its path. Returns for how many seconds."""
        with self._lock:
            self._expire()
            grant = _Grant(decision.id, self._clock() + OVERRIDE_FOR)
            self._granted.update({(decision.path, fingerprint): grant for fingerprint in decision.fingerprints})
        return OVERRIDE_FOR

    def at(self, path: str) -> frozenset[str]:
        """The fingerprints let through at *path* now."""
        with self._lock:
            self._expire()
            return frozenset(fingerprint for where, fingerprint in self._granted if where == path)

    def granted_by(self, path: str, fingerprints: frozenset[str]) -> str:
        """The id of the decision whose override lets *fingerprints* through at *path*; the latest of several."""
        with self._lock:
            grants = [self._granted[path, each] for each in fingerprints if (path, each) in self._granted]
        return max(grants, key=lambda grant: grant.end).id if grants else ""

    def _expire(self) -> None:
        now = self._clock()
        self._granted = {key: grant for key, grant in self._granted.items() if grant.end > now}


@dataclass(frozen=True, slots=True)
class _Grant:
    id: str
    end: float
