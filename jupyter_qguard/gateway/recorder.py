"""What the gateway decided, into the audit log; and refusals to the person at the notebook, few enough to be read.

The log blocks, so that it is used in threads. Where it cannot be written nothing new is allowed: the first connection
of a kernel to a host is on the disk before anything is dialled. Further ones to the same host are counted and written
together; a crash loses that count, as it loses the count of equal refusals.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from jupyter_qguard.audit.event import AuditEvent, EgressDecided, EventData, GuardFailed, KernelStarted, PolicyLoaded
from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.audit import AuditLog
    from jupyter_qguard.gateway.control import RecordFailure, RecordStart
    from jupyter_qguard.policy import LoadedPolicy
    from jupyter_qguard.policy.egress import EgressVerdict

T = TypeVar("T")
_THREADS = 16
"""Each may carry one record of a group that becomes durable at once."""
_COUNTED = 10_000
"""Different connections whose repetitions are counted; the oldest begins anew with a record of its own."""
_CLOSED = "the audit log is closed"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Who:
    """The kernel that something is recorded of."""

    kernel: str
    notebook: str = ""
    """As claimed."""


class Recorder:
    """The gateway's part of the audit log. For one event loop."""

    def __init__(self, open_log: Callable[[], AuditLog]) -> None:
        """*open_log* opens the log, or raises AuditUnavailableError; it may block."""
        self._open_log = open_log
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="qguard-records")
        self._opening = asyncio.Lock()
        self._log: AuditLog | None = None
        self._counts: dict[AuditEvent, int] = {}
        self.trouble = ""
        """Why the last record could not be written; empty once one is."""

    async def open(self) -> None:
        """Open the log if it is not. Where that fails :attr:`trouble` says why, and the next record tries again."""
        try:
            await self._opened()
        except AuditUnavailableError as error:
            self._in_trouble(error)

    async def allowed(self, who: Who, host: str, port: int, verdict: EgressVerdict) -> None:
        """Record that a connection is let through; it must not be made before this returns.

        Raises
        ------
        AuditUnavailableError
            It is not recorded.
        """
        would = verdict.would.label if verdict.would is not verdict.action else ""
        reason = verdict.rule or ("not on the allowlist" if would else "")
        data = EgressDecided(action=verdict.action.label, would=would, host=host, port=port, reason=reason)
        await self.record(AuditEvent(data=data, kernel=who.kernel, notebook=who.notebook), counted=True)

    async def record(self, event: AuditEvent, *, counted: bool = False) -> None:
        """Record *event* before what it speaks of is done; with *counted* only the first of equal ones at once.

        Raises
        ------
        AuditUnavailableError
            It is not recorded.
        """
        if not counted:
            await self._append(event)
            return
        if event in self._counts and not self.trouble:
            self._counts[event] += 1
            return
        await self._append(event)
        while len(self._counts) >= _COUNTED:
            oldest = next(iter(self._counts))
            await self._write_counts([oldest])
            self._counts.pop(oldest, None)
        self._counts.setdefault(event, 0)

    def refused(self, who: Who, host: str, port: int, reason: str, would: str = "") -> None:
        """Record that a connection was refused, or (*would*) would have been. What cannot be recorded stays refused."""
        action = "allow" if would else "refuse"
        data = EgressDecided(action=action, would=would, host=host, port=port, reason=reason)
        self.note(AuditEvent(data=data, kernel=who.kernel, notebook=who.notebook))

    def note(self, event: AuditEvent) -> None:
        """Record a refusal, equal ones within a while as one. What cannot be recorded stays refused."""
        if self._log is None:
            return  # `trouble` says why
        try:
            self._log.note_refusal(event)
        except AuditUnavailableError as error:
            self._in_trouble(error)

    async def started(self, start: RecordStart) -> None:
        """Record that a kernel is about to run. Raises AuditUnavailableError."""
        data = KernelStarted(kernelspec=start.kernelspec, tier=start.tier.label, enforced=start.enforced)
        await self._append(AuditEvent(data=data, kernel=start.kernel, notebook=start.notebook))

    async def failed(self, failure: RecordFailure) -> None:
        """Record what failed at a kernel's start. Raises AuditUnavailableError."""
        data = GuardFailed(part=failure.part, code=failure.code, detail=failure.detail)
        await self._append(AuditEvent(data=data, kernel=failure.kernel))

    async def policy_loaded(self, loaded: LoadedPolicy) -> None:
        """Record which policy is in force; where that fails, :attr:`trouble` says so."""
        data = PolicyLoaded(
            sources=tuple(f"{source.origin.value}: {source.name}" for source in loaded.sources),
            digests=tuple(source.digest for source in loaded.sources if source.digest),
            strictest=loaded.strictest,
            detail=" ".join(loaded.notices),
        )
        try:
            await self._append(AuditEvent(data=data))
        except AuditUnavailableError:
            return

    async def write_counts(self) -> None:
        """Write what was counted since the last time; where that fails it is kept."""
        await self._write_counts([event for event, count in self._counts.items() if count])

    async def forget(self, who: Who) -> None:
        """A kernel has ended: write what was counted of it."""
        mine = [event for event in self._counts if event.kernel == who.kernel]
        await self._write_counts([event for event in mine if self._counts[event]])
        for event in mine:
            self._counts.pop(event, None)

    async def close(self) -> None:
        """Write what waits, and close the log."""
        await self.write_counts()
        log, self._log = self._log, None
        if log is not None:
            try:
                await self._in_thread(log.close)
            except AuditUnavailableError as error:
                _log.error("the audit log was not closed in order: %s", error)
        self._threads.shutdown(wait=False)

    async def _write_counts(self, events: list[AuditEvent]) -> None:
        counted = [(event, self._counts[event]) for event in events if self._counts.get(event)]
        if not counted:
            return
        for event, _ in counted:
            self._counts[event] = 0
        try:
            await self._use(lambda log: log.append_all([_counted(event, count) for event, count in counted]))
        except AuditUnavailableError:
            for event, count in counted:
                self._counts[event] = self._counts.get(event, 0) + count

    async def _append(self, event: AuditEvent) -> None:
        await self._use(lambda log: log.append(event))

    async def _use(self, call: Callable[[AuditLog], T]) -> T:
        try:
            log = await self._opened()
            result = await self._in_thread(lambda: call(log))
        except AuditUnavailableError as error:
            self._in_trouble(error)
            raise
        self.trouble = ""
        return result

    def _in_trouble(self, error: AuditUnavailableError) -> None:
        if not self.trouble:
            _log.error("the audit log cannot be written, nothing new is allowed: %s", error)
        self.trouble = str(error) or "the audit log cannot be written"

    async def _opened(self) -> AuditLog:
        async with self._opening:
            if self._log is None:
                self._log = await self._in_thread(self._open_log)
            return self._log

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except RuntimeError:  # the threads are given back already
            raise AuditUnavailableError(_CLOSED) from None


def _counted(event: AuditEvent, count: int) -> AuditEvent:
    data: EventData = msgspec.structs.replace(event.data, count=count)
    return msgspec.structs.replace(event, data=data)
