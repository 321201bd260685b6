"""Watches the body of a request for handles: a vendor has no use for one there, and would keep it."""

from __future__ import annotations

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.secret import HANDLE_IN_TEXT

MAX_BODY = 64 * 1024 * 1024
"""Bytes. Programs of thousands of circuits have some."""
_OVERLAP = 160
"""Characters; more than the beginning that gives a handle away."""


class BodyWatch:
    """For one body."""

    def __init__(self) -> None:
        self._end = ""
        self._seen = 0

    def look(self, data: bytes) -> None:
        """Look at the next part.

        Raises
        ------
        RequestRefusedError
            A handle stands in it, or the body is too large.
        """
        self._seen += len(data)
        if self._seen > MAX_BODY:
            text = f"the body of the request is larger than {MAX_BODY >> 20} MiB"
            raise RequestRefusedError(Cause.QUOTA, text, status=413)
        text = self._end + data.decode("latin-1")
        if HANDLE_IN_TEXT.search(text):
            raise RequestRefusedError(Cause.CREDENTIAL, "a handle stands in the body of the request")
        self._end = text[-_OVERLAP:]
