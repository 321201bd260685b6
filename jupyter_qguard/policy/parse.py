"""Policy text to policy, strictly: an unknown key, wrong word or contradiction is an error with its file and line."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from jupyter_qguard.policy.build import Builder, scan_policy
from jupyter_qguard.policy.document import PolicyText
from jupyter_qguard.policy.model import Action, Mode
from jupyter_qguard.policy.record import PolicyRecord
from jupyter_qguard.policy.strict import read_record, refuse_all

if TYPE_CHECKING:
    from jupyter_qguard.policy.model import Policy, ScanPolicy
    from jupyter_qguard.policy.structure import Mismatch

_TIGHTENING = {(): ("apiVersion", "scan", "egress"), ("egress",): ("deny",)}
"""All that a user's file may hold beside a floor, by the section it stands in; ``scan`` is compared, not listed."""
_NOT_YOURS = "an administrator's policy is in force: yours may hold only stricter `scan` actions and `egress.deny`"


def parse_policy(text: str, source: str) -> Policy:
    """The policy that *text* spells; *source* is what errors call the file.

    Raises
    ------
    InvalidPolicyError
        A :class:`~jupyter_qguard.errors.PolicyError` with one line for each problem: file, line, key, what is allowed.
    """
    document = PolicyText(text, source)
    record = read_record(document, PolicyRecord)
    builder = Builder(document)
    policy = builder.policy(record)
    refuse_all(document, builder.problems)
    return policy


def parse_tightening(text: str, source: str, floor: Policy) -> Policy:
    """*floor*, with what the user's file *text* makes stricter.

    Raises
    ------
    InvalidPolicyError
        The file is no policy, or holds anything but stricter ``scan`` actions and ``egress.deny``.
    """
    document = PolicyText(text, source)
    record = read_record(document, PolicyRecord)
    problems = list(_beyond_tightening(document.data))
    scan, weaker = _stricter_scan(document.data.get("scan", {}), scan_policy(record.scan), floor.scan)
    builder = Builder(document)
    denied = record.egress.deny if record.egress else ()
    rules = [builder.deny(entry, ("egress", "deny", index)) for index, entry in enumerate(denied)]
    refuse_all(document, [*problems, *weaker, *builder.problems])
    egress = dataclasses.replace(floor.egress, deny=(*floor.egress.deny, *(rule for rule in rules if rule)))
    return dataclasses.replace(floor, scan=scan, egress=egress)


def _beyond_tightening(data: dict[str, Any]) -> list[Mismatch]:
    found: list[Mismatch] = []
    for path, allowed in _TIGHTENING.items():
        section: Any = data
        for step in path:
            section = section.get(step, {})
        found += [((*path, name), _NOT_YOURS) for name in section if name not in allowed]
    return found


def _stricter_scan(given: dict[str, Any], wanted: ScanPolicy, floor: ScanPolicy) -> tuple[ScanPolicy, list[Mismatch]]:
    """*floor* with what *given* names taken from *wanted*, and where that would be weaker than the floor."""
    weaker: list[Mismatch] = []
    changes: dict[str, Any] = {}
    for name in given:
        mine, theirs = getattr(wanted, name), getattr(floor, name)
        if _rank(mine) > _rank(theirs):
            word = getattr(theirs, "label", None) or theirs.value
            weaker.append((("scan", name), f"the administrator's policy says `{word}`, and yours may only be stricter"))
        changes[name] = mine
    return dataclasses.replace(floor, **changes), weaker


def _rank(value: Action | Mode) -> int:
    """0 for the strictest."""
    return int(value) if isinstance(value, Action) else list(Mode).index(value)
