"""Decides what happens to a save. Total and pure: the same policy, findings and day give the same verdict."""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.policy.model import Action, ExceptionKind, Mode
from jupyter_qguard.scan.finding import Classification, Place

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from jupyter_qguard.policy.model import Policy
    from jupyter_qguard.scan.finding import Finding, ScanResult

UNSTATED = Classification.INTERNAL
"""What a notebook counts as that states no class of itself."""

_MAX_NAMED = 3
"""More places than these do not fit into a dialog; the rest is counted."""
_MAX_WHAT = 200
_PLACES = {Place.SOURCE: "source", Place.OUTPUT: "output", Place.METADATA: "metadata", Place.TEXT_FILE: "text"}


@dataclass(frozen=True, slots=True)
class SaveVerdict:
    """What is to be done with one save, and why."""

    action: Action
    """The worst of all findings; ALLOW if nothing is to be done."""
    reason: str
    """One or more sentences for the person who saves: what, where, what to do. Never a value."""
    rule_ids: tuple[str, ...]
    """The rules that decided, in alphabetical order; empty for ALLOW without an override."""
    by_action: Mapping[Action, tuple[Finding, ...]]
    """Every finding of the scan under what is done about it, exceptions and overrides under ALLOW or WARN."""
    would: Action
    """What mode *enforce* does; differs from ``action`` only in mode *observe*."""
    overridden: frozenset[str] = frozenset()
    """Fingerprints of findings that are let through because a person gave a reason."""


@dataclass(frozen=True, slots=True)
class ClassChangeVerdict:
    """Whether a notebook may state another class of itself."""

    action: Action
    """BLOCK or ALLOW."""
    reason: str
    lowered: bool
    """True where the change must be recorded together with its reason."""


def decide_save(
    policy: Policy,
    result: ScanResult,
    overridden: frozenset[str] = frozenset(),
    *,
    today: dt.date | None = None,
    path: str | None = None,
) -> SaveVerdict:
    """The verdict on saving a document with these findings.

    *overridden* are the fingerprints that a person declared acceptable for this one save: they count only if they
    cover every finding that blocks. *path* is the server's path, for exceptions that are limited to some; *today*
    decides which exceptions still hold, and none does without it.
    """
    judged = [(finding, _judge(policy, result, finding, today, path)) for finding in result.findings]
    blocking = {finding.fingerprint for finding, action in judged if action is Action.BLOCK}
    let_through = overridden if blocking <= overridden else frozenset()
    final = [(finding, Action.ALLOW if finding.fingerprint in let_through else action) for finding, action in judged]
    used = frozenset(
        finding.fingerprint
        for finding, action in judged
        if action < Action.ALLOW and finding.fingerprint in let_through
    )
    would = min((action for _, action in final), default=Action.ALLOW)
    action = max(would, Action.WARN) if policy.scan.mode is Mode.OBSERVE else would
    groups = {each: tuple(finding for finding, given in final if given is each) for each in Action}
    deciding = groups[would] if would < Action.ALLOW else _named(result.findings, used)
    rule_ids = tuple(sorted({finding.rule_id for finding in deciding}))
    reason = _reason(action, would, deciding, result) if deciding else "Nothing to act on was found."
    return SaveVerdict(action, reason, rule_ids, groups, would, used)


def decide_class_change(
    old: Classification | None, new: Classification | None, reason: str | None
) -> ClassChangeVerdict:
    """Whether a notebook that stated *old* may state *new*; None is no statement and counts as internal."""
    before, after = UNSTATED if old is None else old, UNSTATED if new is None else new
    if after >= before:
        return ClassChangeVerdict(Action.ALLOW, f"The class of the notebook is {after.label}.", lowered=False)
    change = f"from {before.label} to {after.label}"
    if reason is None or not reason.strip():
        text = f"Lowering the class of a notebook {change} needs a reason, which is recorded."
        return ClassChangeVerdict(Action.BLOCK, text, lowered=True)
    return ClassChangeVerdict(Action.ALLOW, f"The class is lowered {change} with a recorded reason.", lowered=True)


def _judge(policy: Policy, result: ScanResult, finding: Finding, today: dt.date | None, path: str | None) -> Action:
    if not _counts(policy, result, finding):
        return Action.ALLOW
    action = policy.scan.action_at(finding.place)
    return max(action, Action.WARN) if _excepted(policy, finding, today, path) else action


def _counts(policy: Policy, result: ScanResult, finding: Finding) -> bool:
    """Whether anything is done about *finding*: always for a credential, by class for data that the policy names."""
    named = policy.classify.get(finding.rule_id)
    if named is None or finding.classification > named:
        return True
    stated = UNSTATED if result.stated is None else result.stated
    return named > stated


def _excepted(policy: Policy, finding: Finding, today: dt.date | None, path: str | None) -> bool:
    return today is not None and any(
        exception.kind is ExceptionKind.RULE
        and exception.target == finding.rule_id
        and exception.holds(today)
        and (exception.paths is None or (path is not None and fnmatch.fnmatchcase(path, exception.paths)))
        for exception in policy.exceptions
    )


def _named(findings: Sequence[Finding], fingerprints: frozenset[str]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.fingerprint in fingerprints)


def _reason(action: Action, would: Action, deciding: Sequence[Finding], result: ScanResult) -> str:
    what = "; ".join(f"{_what(finding)} ({_where(finding)})" for finding in deciding[:_MAX_NAMED])
    left = len(deciding) - _MAX_NAMED
    if left > 0:
        what += f"; and {left} more"
    return f"{what}. {_consequence(action, would, deciding, result)}"


def _consequence(action: Action, would: Action, deciding: Sequence[Finding], result: ScanResult) -> str:
    if action is not would:
        done = {Action.BLOCK: "refuse this save", Action.REDACT: "replace it in the file", Action.WARN: "warn"}
        return f"The policy only observes: enforced, it would {done[would]}."
    if action is Action.BLOCK:
        return f"Nothing was written and nothing is lost. {_remedy(deciding, result)}"
    if action is Action.REDACT:
        return "It is replaced by a mark in the saved file; what you see in the browser stays until you reload."
    if action is Action.WARN:
        return f"The file is saved as it is. {_remedy(deciding, result)}"
    return "Saved as it is, because a person gave a reason that is on record."


def _remedy(deciding: Sequence[Finding], result: ScanResult) -> str:
    places = Counter(finding.place for finding in deciding)
    if all(finding.classification < Classification.RESTRICTED for finding in deciding):
        stated = UNSTATED if result.stated is None else result.stated
        highest = max(finding.classification for finding in deciding)
        return (
            f"The notebook counts as {stated.label} and this is {highest.label}: remove it, or state the class "
            f"{highest.label} for the notebook."
        )
    if places.keys() <= {Place.OUTPUT}:
        return "Clear the output of the cell and save again."
    return "Take the value out and save again; if it ever left this machine, have it revoked."


def _what(finding: Finding) -> str:
    return finding.message.strip().rstrip(".")[:_MAX_WHAT] or finding.rule_id


def _where(finding: Finding) -> str:
    if finding.cell is None:
        return f"line {finding.line}" if finding.place is Place.TEXT_FILE else "notebook metadata"
    return f"cell {finding.cell.index + 1}, {_PLACES[finding.place]}, line {finding.line}"
