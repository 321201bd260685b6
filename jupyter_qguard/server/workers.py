"""The pool of worker processes: scans and redacts off the event loop, and survives whatever happens to a process."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zlib import crc32

from jupyter_qguard.errors import GuardFailureError, InputError
from jupyter_qguard.server import wire
from jupyter_qguard.server.child import Child, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.scan import Finding, ScanResult, ScanSettings
    from jupyter_qguard.server.prepared import Prepared

_PAUSE_AFTER_FAILURE = 2.0
"""Seconds in which a worker that could not be started is not tried again."""
_SECONDS_PER_MEGABYTE = 1.0
_MEGABYTE = 1 << 20

Answered = wire.Found | wire.Redacted | wire.Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How the pool works; never what it looks for."""

    count: int = 2
    """Processes."""
    start_patience: float = 300.0
    """Seconds for a process to load its rules; the first one on a machine compiles them."""
    scan_patience: float = 60.0
    """Seconds for one document, and one second more for each megabyte."""
    memory: int = 128 * _MEGABYTE
    """Bytes of encoded notebooks that a process may remember, and the server of it, so that only changed cells are sent
    and scanned anew."""


@dataclass(frozen=True, slots=True)
class PoolState:
    """What ``status`` shows."""

    size: int
    ready: int
    pids: tuple[int, ...]
    trouble: str | None
    """Why the last start of a process failed."""


class WorkerPool:
    """Threads that each own one process. All public methods may be called from any thread; ``scan`` blocks."""

    def __init__(self, settings: PoolSettings, rules: ScanSettings, announce: Callable[[str], None]) -> None:
        """Prepare; nothing is started before :meth:`start`."""
        self._settings = settings
        self._announce = announce
        self._lanes = [_Lane(self, number) for number in range(settings.count)]
        self._rules = rules
        self.generation = 0
        self.first_ready = threading.Event()

    def start(self) -> None:
        """Start warming in the background. Returns at once."""
        for lane in self._lanes:
            lane.start()

    def scan(self, document: Prepared, affinity: str) -> ScanResult:
        """Scan a document; documents of one *affinity* (their path) go to one worker where possible.

        Raises
        ------
        InputError
            The document cannot be read.
        GuardFailureError
            The scan failed, the worker died or was late.
        """
        patience = self._patience(document.size)
        answer = self._ask(lambda child: child.scan(document, affinity, patience), affinity)
        if isinstance(answer, wire.Found):
            return answer.result
        raise _error(answer)

    def redact(self, data: bytes, name: str, findings: tuple[Finding, ...]) -> bytes:
        """The bytes of a file with *findings* replaced. Raises as :meth:`scan` does."""
        request, patience = wire.RedactBytes(name, data, findings), self._patience(len(data))
        answer = self._ask(lambda child: child.ask(request, (), patience), name)
        if isinstance(answer, wire.Redacted):
            return answer.data
        raise _error(answer)

    def known_parts(self, path: str) -> tuple[bytes, ...]:
        """The parts that a process knows of the notebook at *path*."""
        children = (child for lane in self._lanes if (child := lane.child) is not None)
        return next((parts for child in children if (parts := child.known.parts(path))), ())

    def use_rules(self, rules: ScanSettings) -> None:
        """Scan with other settings from now on: each process is started anew before its next document."""
        if rules == self._rules:
            return
        self._rules = rules
        self.generation += 1

    @property
    def is_idle(self) -> bool:
        """Whether a process is free."""
        return any(lane.idle for lane in self._lanes)

    def state(self) -> PoolState:
        """A snapshot."""
        children = [child for lane in self._lanes if (child := lane.child) is not None and child.alive]
        trouble = next((lane.trouble for lane in self._lanes if lane.trouble), None)
        return PoolState(len(self._lanes), len(children), tuple(child.pid for child in children), trouble)

    def close(self) -> None:
        """End all processes. Waiting scans fail."""
        self.first_ready.set()
        for lane in self._lanes:
            lane.close()

    def new_child(self) -> Child:
        """A started process. For the lanes."""
        rules = self._rules
        load = wire.LoadRules(
            rules.fingerprint_key,
            dict(rules.classify),
            dict(rules.patterns),
            str(rules.cache_dir) if rules.cache_dir else None,
        )
        settings = self._settings
        return Child(load, patience=settings.start_patience, announce=self._announce, memory=settings.memory)

    def _patience(self, size: int) -> float:
        return self._settings.scan_patience + size / _MEGABYTE * _SECONDS_PER_MEGABYTE

    def _ask(self, task: Callable[[Child], Answered], affinity: str) -> Answered:
        preferred = self._lanes[crc32(affinity.encode("utf-8", "surrogatepass")) % len(self._lanes)]
        idle = (lane for lane in self._lanes if lane.idle)
        lane = preferred if preferred.idle else next(idle, preferred)
        return lane.submit(_Job(task)).result()


@dataclass(frozen=True, slots=True)
class _Job:
    """What to ask a process, and its answer."""

    task: Callable[[Child], Answered]
    answer: Future[Answered] = field(default_factory=Future)


class _Lane:
    """A queue, a thread, and the process the thread owns."""

    def __init__(self, pool: WorkerPool, number: int) -> None:
        self._pool = pool
        self._number = number
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._busy = True
        self._closed = False
        self._generation = -1
        self._failed_at = float("-inf")
        self.child: Child | None = None
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"qguard-worker-{number}", daemon=True)

    @property
    def idle(self) -> bool:
        """Whether a job would be taken up at once."""
        return not self._busy and not self._jobs

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: _Job) -> Future[Answered]:
        with self._wake:
            if self._closed:
                raise WorkerDiedError("the server is shutting down")
            self._jobs.append(job)
            self._wake.notify()
        return job.answer

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify()
        child = self.child
        if child is not None:
            child.stop()
        if self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        if self._number > 0:
            # The first process compiles the rules where they are not cached yet; the others then find them.
            self._pool.first_ready.wait()
        self._warm()
        self._pool.first_ready.set()
        while (job := self._next()) is not None:
            try:
                job.answer.set_result(self._serve(job))
            except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
                job.answer.set_exception(error)
        self._drop_rest()

    def _warm(self) -> None:
        try:
            self._ready_child()
        except GuardFailureError:
            return  # kept as trouble; the next document tries again

    def _next(self) -> _Job | None:
        with self._wake:
            self._busy = False
            while not self._jobs and not self._closed:
                self._wake.wait()
            if self._closed:
                return None
            self._busy = True
            return self._jobs.popleft()

    def _serve(self, job: _Job) -> Answered:
        child = self._ready_child()
        try:
            return job.task(child)
        except BaseException:
            # Whatever it was: an answer that is still in the pipe would be taken for that of the next document.
            self.child = None
            child.stop()
            raise

    def _ready_child(self) -> Child:
        """The process, started if there is none, it died, or the rules have changed."""
        child, generation = self.child, self._pool.generation
        if child is not None and child.alive and self._generation == generation:
            return child
        if child is not None:
            self.child = None
            child.stop()
        if time.monotonic() - self._failed_at < _PAUSE_AFTER_FAILURE:
            raise WorkerDiedError(self.trouble or "could not be started")
        try:
            self.child = self._pool.new_child()
        except Exception as error:  # noqa: BLE001 - a save is waiting for it
            self._failed_at = time.monotonic()
            self.trouble = str(error) if isinstance(error, GuardFailureError) else type(error).__name__
            raise WorkerDiedError(self.trouble) from None
        self._generation = generation
        self.trouble = None
        return self.child

    def _drop_rest(self) -> None:
        if self.child is not None:  # it came up while the pool was closed
            self.child.stop()
        with self._wake:
            rest = list(self._jobs)
            self._jobs.clear()
        for job in rest:
            job.answer.set_exception(WorkerDiedError("the server is shutting down"))


def _error(answer: Any) -> Exception:
    if isinstance(answer, wire.Failed):
        return InputError(answer.text) if answer.fault is wire.Fault.INPUT else GuardFailureError(answer.text)
    return GuardFailureError("an answer out of turn")
