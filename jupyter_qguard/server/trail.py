"""Writes what the server decides into the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_qguard.policy import LoadedPolicy, SaveVerdict
    from jupyter_qguard.server.decisions import Decision


class Trail:
    """STAND-IN until the audit package is there."""

    trouble: str | None = None

    def save_decided(self, decision: Decision, verdict: SaveVerdict, *, new: bool) -> None:
        """A write had findings."""

    def override_granted(self, decision: Decision, reason: str, seconds: int) -> None:
        """Durable on return. Raises AuditUnavailableError."""

    def guard_failed(self, path: str, kind: str) -> None:
        """A write was refused because it could not be checked."""

    def policy_loaded(self, loaded: LoadedPolicy) -> None:
        """Another policy is in force."""

    def close(self) -> None:
        """Write what is left."""
