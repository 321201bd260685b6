"""Does tasks in forked processes, which share all that is loaded. What the standard library has for this takes longer to
import than a scan of ten megabytes."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from jupyter_qguard.errors import GuardFailureError

_NUMBER = 4
MOST_TASKS = 4096 // _NUMBER
"""The numbers of this many tasks fit into any pipe at once: one of a user with many pipes holds a page."""
_SIZE = 8
_DONE, _FAILED = b"\0", b"\1"
_PIECE = 1 << 16
Work = Callable[[int], bytes]
"""What a task, given by its number, comes to."""


@dataclass(slots=True)
class _Worker:
    """A forked process, and what of its answers has been read."""

    process: int
    answers: int
    received: bytearray = field(default_factory=bytearray)

    def take(self) -> Iterator[bytes]:
        """The answers that are complete."""
        while len(self.received) >= _SIZE:
            end = _SIZE + int.from_bytes(self.received[:_SIZE], "big")
            if len(self.received) < end:
                return
            yield bytes(self.received[_SIZE:end])
            del self.received[:end]


def available() -> bool:
    """Whether this system can do it."""
    return hasattr(os, "fork") and hasattr(select, "poll")


def in_forks(work: Work, tasks: int, jobs: int) -> Iterator[bytes]:
    """What each of *tasks* comes to, at most ``MOST_TASKS``, as they are done, by *jobs* processes.

    Raises
    ------
    GuardFailureError
        A process failed or was ended: what it was to do has not been done.
    """
    numbers, feed = os.pipe()
    os.write(feed, b"".join(number.to_bytes(_NUMBER, "big") for number in range(tasks)))
    os.close(feed)
    workers: dict[int, _Worker] = {}
    try:
        for _ in range(min(jobs, tasks)):
            worker = _start(work, numbers)
            workers[worker.answers] = worker
        left = tasks
        for answer in _answers(workers):
            if answer[:1] == _FAILED:
                message = f"internal error ({answer[1:].decode()}) in a worker process"
                raise GuardFailureError(message)
            left -= 1
            yield answer[1:]
        if left:
            message = "a worker process was ended from outside, perhaps for want of memory: try again with --jobs 1"
            raise GuardFailureError(message)
    finally:
        os.close(numbers)
        for worker in workers.values():
            os.close(worker.answers)
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process, signal.SIGKILL)  # one that is done feels nothing
            os.waitpid(worker.process, 0)


def _start(work: Work, numbers: int) -> _Worker:
    answers, said = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(answers)
        _serve(work, numbers, said)
    os.close(said)
    return _Worker(process, answers)


def _serve(work: Work, numbers: int, said: int) -> NoReturn:
    """In a worker: do what no other has taken, and never return to what the parent was about to do."""
    try:
        while number := os.read(numbers, _NUMBER):
            try:
                answer = _DONE + work(int.from_bytes(number, "big"))
            except Exception as error:  # noqa: BLE001 - the parent says it, without what was read
                answer = _FAILED + type(error).__name__.encode()
            left = memoryview(len(answer).to_bytes(_SIZE, "big") + answer)
            while left:
                left = left[os.write(said, left) :]
    finally:
        os._exit(0)


def _answers(workers: dict[int, _Worker]) -> Iterator[bytes]:
    """What the workers answer, until all have ended."""
    poll = select.poll()
    for descriptor in workers:
        poll.register(descriptor, select.POLLIN)
    serving = set(workers)
    while serving:
        for descriptor, _ in poll.poll():
            piece = os.read(descriptor, _PIECE)
            if not piece:
                poll.unregister(descriptor)
                serving.discard(descriptor)
            workers[descriptor].received += piece
            yield from workers[descriptor].take()
