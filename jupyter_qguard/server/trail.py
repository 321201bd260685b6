"""Writes what the server decides into the audit log. Opens the log when it is first needed, and again after trouble."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from typing import TYPE_CHECKING

from jupyter_qguard.audit.event import (
    AuditEvent,
    GuardFailed,
    KernelStarted,
    OverrideGranted,
    PolicyLoaded,
    SaveDecided,
)
from jupyter_qguard.errors import AuditUnavailableError
from jupyter_qguard.policy.decide import UNSTATED
from jupyter_qguard.policy.model import Action
from jupyter_qguard.server.decisions import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.audit import AuditLog
    from jupyter_qguard.audit.event import EventData
    from jupyter_qguard.policy import LoadedPolicy, SaveVerdict
    from jupyter_qguard.server.decisions import Decision
    from jupyter_qguard.server.refusal import WritePath
    from jupyter_qguard.server.statement import Statement

_FINGERPRINTS_RECORDED = 50


class Trail:
    """The server's part of the audit log. Safe for several threads; every method may block for a write to the disk."""

    def __init__(self, open_log: Callable[[], AuditLog]) -> None:
        """*open_log* opens the log, or raises AuditUnavailableError."""
        self._open_log = open_log
        self._lock = threading.Lock()
        self._log: AuditLog | None = None
        self._closed = False
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why a record could not be written; empty once one is written again. A refusal that is noted is not yet."""
        return self._trouble

    def save_decided(
        self, decision: Decision, verdict: SaveVerdict, way: WritePath, *, new: bool, override: str = ""
    ) -> None:
        """Record a write with findings: each refusal, and the first of equal writes that went through.

        Raises
        ------
        AuditUnavailableError
            A write that an override let through cannot be recorded, and so must not happen. Without that a refusal
            stays a refusal, and what the policy permits is permitted.
        """
        data = SaveDecided(
            action=verdict.action.label,
            would=verdict.would.label if verdict.would is not verdict.action else "",
            operation=way.name.lower(),
            rule_ids=verdict.rule_ids,
            fingerprints=tuple(sorted(decision.fingerprints))[:_FINGERPRINTS_RECORDED],
            findings=decision.count,
            override=override,
            report=decision.id,
        )
        event = AuditEvent(data=data, notebook=decision.path)
        try:
            if decision.outcome is Outcome.REFUSED:
                self._use(lambda log: log.note_refusal(event), writes=False)
            elif new:
                self._use(lambda log: log.append(event))
        except AuditUnavailableError:
            if override:
                raise

    def override_granted(self, decision: Decision, reason: str, seconds: float, proof: str) -> None:
        """Record an override, for good, before it holds. Raises AuditUnavailableError."""
        until = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
        data = OverrideGranted(
            override=decision.id,
            rule_ids=tuple(sorted({finding.rule_id for finding in decision.findings})),
            fingerprints=tuple(sorted(decision.fingerprints)),
            reason=reason,
            until=until.isoformat(timespec="seconds"),
            proof=proof,
        )
        self._append(data, decision.path)

    def class_lowered(self, path: str, statement: Statement) -> None:
        """Record that a notebook states a lower class from now on, and why. Raises AuditUnavailableError."""
        data = OverrideGranted(override="", classification=_label(statement), reason=statement.reason)
        self._append(data, path)

    def class_kept(self, path: str, statement: Statement, way: WritePath, reason: str, *, observed: bool) -> None:
        """Record that a notebook stated a lower class without a reason. What becomes of it stands, recorded or not."""
        action, would = (Action.WARN, Action.BLOCK.label) if observed else (Action.BLOCK, "")
        data = SaveDecided(
            action=action.label,
            would=would,
            operation=way.name.lower(),
            classification=_label(statement),
            reason=reason,
        )
        event = AuditEvent(data=data, notebook=path)
        with contextlib.suppress(AuditUnavailableError):
            if observed:
                self._use(lambda log: log.append(event))
            else:
                self._use(lambda log: log.note_refusal(event), writes=False)

    def name_refused(self, shown: str, way: WritePath) -> None:
        """Record that something was not written because its name holds a secret. *shown* is the name without it."""
        reason = "the name holds a secret"
        data = SaveDecided(action=Action.BLOCK.label, operation=way.name.lower(), reason=reason)
        event = AuditEvent(data=data, notebook=shown)
        with contextlib.suppress(AuditUnavailableError):
            self._use(lambda log: log.note_refusal(event), writes=False)

    def guard_failed(self, path: str, way: WritePath, code: str, kind: str) -> None:
        """Record that a write was refused because it could not be checked. Raises AuditUnavailableError."""
        event = AuditEvent(data=GuardFailed(part=way.name.lower(), code=code, detail=kind), notebook=path)
        self._use(lambda log: log.note_refusal(event), writes=False)

    def kernel_unguarded(self, kernel: str, kernelspec: str) -> None:
        """Record that a kernel runs without the guard: no policy was written, or an exception lets it. Raises as above."""
        data = KernelStarted(kernelspec=kernelspec, tier="unguarded")
        self._use(lambda log: log.append(AuditEvent(data=data, kernel=kernel)))

    def kernel_refused(self, kernel: str, reason: str) -> None:
        """Record that a kernel was not started; it is not, recorded or not."""
        event = AuditEvent(data=GuardFailed(part="sandbox", code="kernel_refused", detail=reason), kernel=kernel)
        with contextlib.suppress(AuditUnavailableError):
            self._use(lambda log: log.append(event))

    def policy_loaded(self, loaded: LoadedPolicy) -> None:
        """Record which policy is in force. Where that fails, ``status`` says so."""
        data = PolicyLoaded(
            sources=tuple(f"{source.origin.value}: {source.name}" for source in loaded.sources),
            digests=tuple(source.digest for source in loaded.sources if source.digest),
            strictest=loaded.strictest,
            detail=" ".join(loaded.notices),
        )
        try:
            self._append(data)
        except AuditUnavailableError:
            return  # kept as trouble

    def close(self) -> None:
        """Write what waits and close the log."""
        with self._lock:
            log, self._log, self._closed = self._log, None, True
        if log is not None:
            try:
                log.close()
            except AuditUnavailableError as error:
                self._trouble = str(error)

    def _append(self, data: EventData, path: str = "") -> None:
        event = AuditEvent(data=data, notebook=path)
        self._use(lambda log: log.append(event))

    def _use(self, call: Callable[[AuditLog], object], *, writes: bool = True) -> None:
        try:
            call(self._opened())
        except AuditUnavailableError as error:
            self._trouble = str(error) or "the audit log cannot be written"
            raise
        if writes:
            self._trouble = ""

    def _opened(self) -> AuditLog:
        with self._lock:
            if self._closed:
                message = "the server is shutting down"
                raise AuditUnavailableError(message)
            if self._log is None:
                self._log = self._open_log()
            return self._log


def _label(statement: Statement) -> str:
    return (UNSTATED if statement.classification is None else statement.classification).label
