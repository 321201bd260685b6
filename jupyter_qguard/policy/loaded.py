"""The policy in force, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jupyter_qguard.policy.model import STRICTEST, Policy


class Origin(Enum):
    """By whose will a source counts."""

    FLOOR = "floor"
    USER = "user"
    BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class PolicySource:
    """One text that the policy in force was made from."""

    origin: Origin
    name: str
    """Path of the file, or which built-in policy."""
    digest: str
    """SHA-256 of the file in hexadecimal; empty for a built-in policy."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """The policy in force, where it is from, and what must be said about that."""

    policy: Policy
    sources: tuple[PolicySource, ...]
    notices: tuple[str, ...] = ()
    """Sentences for the user and the log: a policy that could not be trusted, an edit that was not taken."""

    @property
    def chosen(self) -> bool:
        """True where somebody wrote a policy, or meant to: not where the built-in starter applies for want of one."""
        return self.strictest or any(source.origin is not Origin.BUILT_IN for source in self.sources)

    @property
    def strictest(self) -> bool:
        """True where the built-in strictest policy applies because another one could not."""
        return self.policy == STRICTEST
