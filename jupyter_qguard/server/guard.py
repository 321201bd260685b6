"""Decides about everything that is to be written: scan, policy, overrides, record, and then what may reach the disk.

Knows neither tornado nor a contents manager. Its methods block, and are called in threads beside the event loop.
Whatever fails in here, the write is refused.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_qguard.errors import GuardFailureError, InputError, QGuardError
from jupyter_qguard.policy.decide import decide_save
from jupyter_qguard.policy.model import Action
from jupyter_qguard.redact import redact_notebook
from jupyter_qguard.scan.binary import LARGEST_BINARY
from jupyter_qguard.server import refusal
from jupyter_qguard.server.decisions import Decision, Outcome
from jupyter_qguard.server.notices import GuardNotice
from jupyter_qguard.server.refusal import RefusedError, WritePath
from jupyter_qguard.server.validity import stays_valid

if TYPE_CHECKING:
    from jupyter_qguard.policy import LoadedPolicy
    from jupyter_qguard.policy.decide import SaveVerdict
    from jupyter_qguard.scan import Finding, ScanResult
    from jupyter_qguard.server.class_watch import ClassWatch
    from jupyter_qguard.server.decisions import DecisionRegister, OverrideBook
    from jupyter_qguard.server.names import NameWatch
    from jupyter_qguard.server.notices import NoticeBoard
    from jupyter_qguard.server.policy_watch import PolicyWatch
    from jupyter_qguard.server.prepared import Prepared
    from jupyter_qguard.server.submission import Submission
    from jupyter_qguard.server.trail import Trail
    from jupyter_qguard.server.workers import WorkerPool

_LOG = logging.getLogger(__name__)
_RESULTS_KEPT = 256
_FINDINGS_KEPT = 1000
"""A result with more findings than these is not remembered: memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """What may be written."""

    submission: Submission
    """As it was submitted, or redacted."""
    decision: Decision | None = None
    """None for content without findings that count."""
    message: str = ""
    """What the client is told."""
    under: LoadedPolicy | None = None
    """The policy in force when it was judged. None where nothing was."""

    @property
    def clean(self) -> bool:
        """Whether what is written holds nothing that the policy acts on."""
        return self.decision is None or self.decision.outcome is Outcome.REDACTED

    @property
    def redacted(self) -> bool:
        """Whether other content than the submitted must be written."""
        return self.decision is not None and self.decision.outcome is Outcome.REDACTED


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveGuard:
    """Everything a decision needs. Safe for several threads."""

    pool: WorkerPool
    policy: PolicyWatch
    trail: Trail
    board: NoticeBoard
    decisions: DecisionRegister
    overrides: OverrideBook
    results: Results
    classes: ClassWatch
    names: NameWatch
    scan_limit: int
    """Bytes."""

    def clear(self, submission: Submission, way: WritePath, prepared: Prepared | None = None) -> Clearance:
        """Decide about *submission*; *prepared* is what it was encoded to, if that was done before.

        Raises
        ------
        RefusedError
            It must not be written. No other exception leaves this method.
        """
        try:
            self.admit_name(submission.path, way)
            under = self.policy.current()  # an edit changes what is looked for, so it must be taken before the scan
            return replace(self._clear(submission, way, prepared), under=under)
        except RefusedError:
            raise
        except InputError as error:
            raise self.unreadable(submission.path, way, str(error)) from None
        except Exception as error:  # noqa: BLE001 - the law of this package: what fails is refused
            raise self.failed(submission.path, way, error) from None

    def admit_name(self, path: str, way: WritePath) -> None:
        """Refuse a name that holds a secret, and what cannot be judged. Raises RefusedError and what a scan raises."""
        shown, good = self.names.judge(path)
        if good:
            return
        refused = refusal.bad_name(shown, way)
        self.trail.name_refused(shown, way)
        self.board.guard(GuardNotice.UNREADABLE, refused.message, shown)
        raise refused

    def unreadable(self, path: str, way: WritePath, reason: str) -> RefusedError:
        """Tell of content that cannot be read. Returns the refusal."""
        path = self.names.shown(path)
        refused = refusal.unreadable(path, way, reason)
        self.board.guard(GuardNotice.UNREADABLE, refused.message, path)
        return refused

    def failed(self, path: str, way: WritePath, error: BaseException) -> RefusedError:
        """Record and tell of a failure of the guard. Returns the refusal. Never raises."""
        kind = str(error) if isinstance(error, QGuardError) else type(error).__name__
        path = self.names.shown(path)
        refused = refusal.guard_failed(path, way, kind)
        try:
            # The kind only: the message or the variables of a foreign error could quote the document.
            _LOG.error("The guard failed on a %s of %s: %s", way.name.lower(), path, kind)
            self.trail.guard_failed(path, way, getattr(error, "code", type(error).__name__), kind)
            self.board.guard(GuardNotice.FAILED, refused.message, path)
        except Exception as second:  # noqa: BLE001 - the refusal must stand, told or not
            _LOG.error("and that could not be recorded: %s", type(second).__name__)
        return refused

    def scan(self, submission: Submission) -> ScanResult:
        """Scan, or remember what was found in the same content. Raises InputError, GuardFailureError."""
        return self._scan(self.prepared(submission), submission.path)

    def prepared(self, submission: Submission) -> Prepared:
        """Encode for a worker. Raises InputError."""
        return submission.prepared(self.pool.known_parts(submission.path))

    def verdict(self, submission: Submission, result: ScanResult) -> SaveVerdict:
        """What the policy says about *result*, with the overrides that hold for the path now."""
        path = submission.path
        policy = self.policy.current().policy
        today = dt.datetime.now(dt.timezone.utc).date()
        return decide_save(policy, result, self.overrides.at(path), today=today, path=path)

    def _scan(self, prepared: Prepared, path: str) -> ScanResult:
        if prepared.notebook:
            return self.pool.scan(prepared, path)  # the worker knows its cells again
        generation, digest = self.pool.generation, prepared.digest
        result = self.results.get(digest, generation)
        if result is None:
            result = self.pool.scan(prepared, path)
            self.results.put(digest, generation, result)
        return result

    def _clear(self, submission: Submission, way: WritePath, prepared: Prepared | None) -> Clearance:
        if submission.is_blank:
            return Clearance(submission)
        prepared = prepared or self.prepared(submission)
        if prepared.size > min(LARGEST_BINARY, self.scan_limit) and submission.is_binary:
            return Clearance(submission)
        if prepared.size > self.scan_limit:
            raise refusal.too_large(submission.path, way, prepared.size, self.scan_limit)
        result = self._scan(prepared, submission.path)
        lowered = self.classes.lowers(submission, way)
        clearance = self._carry_out(submission, way, self.verdict(submission, result))
        if lowered:
            self.trail.class_lowered(submission.path, clearance.submission.statement())
        return clearance

    def _carry_out(self, submission: Submission, way: WritePath, verdict: SaveVerdict) -> Clearance:
        path = submission.path
        if verdict.action is Action.BLOCK:
            decision, message = self._decided(submission, way, Outcome.REFUSED, verdict)
            raise refusal.blocked(path, way, verdict.reason, decision.id)
        if verdict.action is Action.REDACT:
            redacted = self._redacted(submission, way, verdict.by_action[Action.REDACT])
            decision, message = self._decided(submission, way, Outcome.REDACTED, verdict)
            return Clearance(redacted, decision, message)
        if verdict.action is Action.WARN:
            decision, message = self._decided(submission, way, Outcome.WARNED, verdict)
            return Clearance(submission, decision, message)
        if verdict.overridden:
            decision, message = self._decided(submission, way, Outcome.OVERRIDDEN, verdict)
            return Clearance(submission, decision, message)
        self.decisions.settle(path)
        return Clearance(submission)

    def _decided(
        self, submission: Submission, way: WritePath, outcome: Outcome, verdict: SaveVerdict
    ) -> tuple[Decision, str]:
        path = submission.path
        findings = verdict.by_action[verdict.would]
        if outcome is Outcome.OVERRIDDEN:
            findings = tuple(finding for finding in findings if finding.fingerprint in verdict.overridden)
        decision, new = self.decisions.add(path, outcome, findings, verdict.reason)
        message = refusal.told(path, verdict.reason, decision.id)
        override = self.overrides.granted_by(path, verdict.overridden)
        self.trail.save_decided(decision, verdict, way, new=new, override=override)
        if new or outcome is Outcome.REFUSED:
            # A refusal is told each time: in a shared document the event is all that anybody sees of it.
            self.board.decided(decision, message)
        return decision, message

    def _redacted(self, submission: Submission, way: WritePath, findings: tuple[Finding, ...]) -> Submission:
        """*submission* without *findings*, scanned again: what goes to the disk is what was seen to be clean."""
        if submission.is_binary:
            reason = "it is a binary file with a secret in the clear, where nothing can be replaced."
            raise refusal.not_redactable(submission.path, way, reason)
        if submission.document is not None:
            document = redact_notebook(submission.document, findings)
            if not stays_valid(submission.document, document, findings):
                reason = "a secret stands where nothing else may stand, so that the notebook would become invalid."
                raise refusal.not_redactable(submission.path, way, reason)
            redacted = replace(submission, document=document)
        else:
            data = self.pool.redact(submission.data or b"", submission.name, findings)
            redacted = replace(submission, data=data)
        left = self.verdict(redacted, self.scan(redacted))
        if left.by_action[Action.BLOCK] or left.by_action[Action.REDACT]:
            message = "a redacted document still held a secret"
            raise GuardFailureError(message)
        return redacted


class Results:
    """What was found in recent contents, by digest. Safe for several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[bytes, int], ScanResult] = OrderedDict()

    def get(self, digest: bytes, generation: int) -> ScanResult | None:
        """The result for that content under those rules, if it is remembered."""
        with self._lock:
            result = self._kept.get((digest, generation))
            if result is not None:
                self._kept.move_to_end((digest, generation))
            return result

    def put(self, digest: bytes, generation: int, result: ScanResult) -> None:
        """Remember a result."""
        if len(result.findings) + len(result.labels) + len(result.suppressed) > _FINDINGS_KEPT:
            return
        with self._lock:
            self._kept[digest, generation] = result
            while len(self._kept) > _RESULTS_KEPT:
                self._kept.popitem(last=False)
