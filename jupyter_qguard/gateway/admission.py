"""Whether a client of the proxy is the kernel that the proxy belongs to, and how others are turned away."""

from __future__ import annotations

from jupyter_qguard.egress.credential import is_admitted
from jupyter_qguard.egress.refusal import Status

_NONE_SHOWN = "this proxy serves one kernel: show the user and password of its proxy variables"
_WRONG = "a client showed a user and password that are not this kernel's"


class RefusedError(Exception):
    """The connection is refused. The reason is one line, fit for records and for the client."""

    def __init__(self, status: Status, reason: str, rule: str = "", *, recorded: bool = True) -> None:
        super().__init__(reason)
        self.status, self.reason, self.rule, self.recorded = status, reason, rule, recorded


def admit(digest: str, authorization: bytes | None) -> None:
    """Let the kernel of *digest* in, and everybody where that is empty.

    Raises
    ------
    RefusedError
        The client is another. One that shows nothing is not recorded: many programs wait to be asked.
    """
    if not digest:
        return
    if authorization is None:
        raise RefusedError(Status.UNKNOWN_CLIENT, _NONE_SHOWN, recorded=False)
    if not is_admitted(digest, authorization):
        raise RefusedError(Status.UNKNOWN_CLIENT, _WRONG)
