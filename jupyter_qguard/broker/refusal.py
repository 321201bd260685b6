"""Why a request to a vendor does not go out: one cause, one status, one line."""

from __future__ import annotations

import enum
from typing import ClassVar

from jupyter_qguard.errors import QGuardError


class Cause(enum.Enum):
    """Whose doing a failed request is: the same word in message, audit and `qguard audit show`."""

    POLICY = "policy"
    CREDENTIAL = "credential"
    QUOTA = "quota"
    GUARD = "guard"
    NETWORK = "network"
    VENDOR = "vendor"


class RequestRefusedError(QGuardError):
    """A request is refused. The reason is one line without a value of the request, fit for client, person and record."""

    code: ClassVar[str] = "refused"

    def __init__(self, cause: Cause, reason: str, *, status: int = 403, retry_after: int = 0) -> None:
        """*retry_after* is in seconds; 0 where waiting does not help."""
        super().__init__(reason)
        self.cause, self.reason, self.status, self.retry_after = cause, reason, status, retry_after
