"""A thread that lives as long as the process, to start programs from.

A program that asked to die with its parent (``PR_SET_PDEATHSIG``; bubblewrap does) dies with the *thread* that started
it. Kernels are started from event loops of threads that may end long before the kernel should.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class LastingThread:
    """Runs what it is given, one after the other, in one thread."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        # A daemon: others are joined before the last kernels are shut down.
        threading.Thread(target=self._run, name="qguard-start", daemon=True).start()

    def call(self, call: Callable[[], T]) -> T:
        """The result of *call*, made in the thread."""
        future: Future[T] = Future()
        self._calls.put((future, call))
        return future.result()

    def _run(self) -> None:
        while True:
            future, call = self._calls.get()
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)
