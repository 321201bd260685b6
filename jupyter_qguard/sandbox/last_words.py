"""What an IPython kernel wrote past Jupyter if it ended before its first word to the gateway: mostly why it could not start.

Until that word nothing runs that a person wrote into a notebook. What is written later may hold anything, and is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.audit.envelope import screen_text
from jupyter_qguard.gateway.control import Began

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.sandbox.output import RawOutput
    from jupyter_qguard.sandbox.owner import Notice


class LastWords:
    """Of one start of one kernel. To be made before it."""

    def __init__(self, kernel: str, subscribe: Callable[[Callable[[Notice], None]], Callable[[], None]]) -> None:
        """*subscribe* has the gateway's notices passed on, and gives what ends that."""
        self._kernel, self._began = kernel, False
        self._output: RawOutput | None = None
        self._unsubscribe = subscribe(self._hear)

    def attach(self, output: RawOutput) -> None:
        """*output* is what the kernel writes to."""
        self._output = output
        if self._began:
            output.drop_from_now()

    def take(self) -> str:
        """One line, without what looks like a key; empty if the kernel began. Blocks for a moment."""
        self._unsubscribe()
        output, self._output = self._output, None
        return "" if output is None or self._began else screen_text(output.said())

    def _hear(self, notice: Notice) -> None:
        if isinstance(notice, Began) and notice.kernel == self._kernel:
            self._began = True
            if self._output is not None:
                self._output.drop_from_now()
