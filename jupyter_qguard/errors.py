"""The error tree: one branch for each party whose fault an error can be.

No message built here or in a subclass may carry a secret, or text of a notebook.
"""

from __future__ import annotations

from typing import ClassVar


class QGuardError(Exception):
    """Base of every error this package raises on purpose.

    ``code`` is stable and machine-readable; ``exit_code`` is what the command line returns.
    """

    code: ClassVar[str] = "qguard"
    exit_code: ClassVar[int] = 70


class UsageError(QGuardError):
    """The caller asked for something that cannot be: a wrong argument or reference."""

    code = "usage"
    exit_code = 2


class PolicyError(QGuardError):
    """The operator's policy is invalid: says file, line, key and what is allowed there."""

    code = "policy"
    exit_code = 3


class InputError(QGuardError):
    """An input cannot be read: malformed, of another format, or too large."""

    code = "input"
    exit_code = 4


class OutsideError(QGuardError):
    """Something outside is away or refuses: a vault, a disk, a network."""

    code = "outside"
    exit_code = 4


class AuditUnavailableError(OutsideError):
    """The audit log cannot be written: whatever needs a record must be refused."""

    code = "audit_unavailable"


class GuardFailureError(QGuardError):
    """The guard itself failed. A guarded path that meets it refuses."""

    code = "guard_failed"
