"""Records of kernels that the gateway does not start: so that every start has its tier in the trail, also where it has none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from jupyter_qguard.server.trail import Trail


class KernelRecords:
    """What the factory of kernels has recorded."""

    def __init__(self, trail: Trail, threads: ThreadPoolExecutor) -> None:
        self._trail, self._threads = trail, threads

    def unguarded(self, kernel: str, kernelspec: str, *, required: bool) -> None:
        """A kernel runs unguarded; with *required* not without its record, which AuditUnavailableError then refuses."""
        if required:
            self._trail.kernel_unguarded(kernel, kernelspec)
        else:
            self._threads.submit(self._tried, kernel, kernelspec)

    def refused(self, kernel: str, reason: str) -> None:
        """A kernel does not start."""
        self._threads.submit(self._trail.kernel_refused, kernel, reason)

    def _tried(self, kernel: str, kernelspec: str) -> None:
        with contextlib.suppress(AuditUnavailableError):  # `status` tells the trouble
            self._trail.kernel_unguarded(kernel, kernelspec)
