"""What was refused to the kernels of this server lately, for `GET egress` and the server's log. The trail is the record.

Kernels that are no IPython kernels print nothing below their cells: this is where their people read why.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_qguard.gateway.control import Refused

_KERNELS, _OF_ONE = 64, 32


class RefusalsSeen:
    """The last of each kernel. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, deque[dict[str, Any]]] = {}

    def add(self, refused: Refused) -> None:
        """Remember it; of a kernel the last ones, and of kernels those that were refused something last."""
        now = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {
            "host": refused.host,
            "port": refused.port,
            "reason": refused.reason,
            "rule": refused.rule,
            "time": now,
        }
        with self._lock:
            mine = self._of.pop(refused.kernel, None) or deque(maxlen=_OF_ONE)
            self._of[refused.kernel] = mine
            mine.append(told)
            while len(self._of) > _KERNELS:
                del self._of[next(iter(self._of))]

    def of(self, kernel: str) -> list[dict[str, Any]]:
        """Those of *kernel*, oldest first."""
        with self._lock:
            return list(self._of.get(kernel, ()))
