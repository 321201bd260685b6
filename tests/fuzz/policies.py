"""Mutated policies: the parser ends with a policy or with PolicyError, and decisions are total."""

from __future__ import annotations

from random import Random

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy import Action, decide_save, parse_policy
from jupyter_qguard.scan import Classification
from tests.fuzz.mutate import spoil_text
from tests.fuzz.plant import from_grid
from tests.fuzz.properties import Check, Guard, ViolationError

_BASE = """apiVersion: qguard/v1
scan: {mode: enforce, source: block, output: redact, metadata: redact, text_files: block}
classify: {calibration_snapshot: confidential, account_identifier: internal}
"""
_LINES = (
    "patterns: {wafer_id: 'W[0-9]{6}'}",
    "scan: {mode: observe}",
    "scan: {source: warn, output: [block]}",
    "classify: {x: restricted}",
    "classify: {generic-credential: public, jwt: restricted, ionq-api-key: restricted}",
    "egress: {mode: enforce, allow: [{host: index.example.org, owner: p, reason: r}]}",
    "exceptions: []",
    "unknown: 1",
    "apiVersion: qguard/v2",
    "a: &a [*a]",
    "? [1, 2]\n: 3",
    "!!python/object/apply:os.system ['true']",
    "scan: !!binary aGVsbG8=",
    "- 1",
    "{",
    "\t- x",
    "b: &b {x: 1}\nc: {<<: *b}",
    "scan: 2026-01-01",
    "patterns: {x: '('}",
    "patterns: {x: '(a+)+$'}",
    "\x00",
    "é: ü",
)


def policy_parses_or_says_why(guard: Guard, rng: Random) -> None:
    """Any text is a policy or a PolicyError; any policy decides any scan, and never lets a finding pass unseen."""
    text = _BASE if rng.random() < 0.7 else ""
    text += "\n".join(rng.choices(_LINES, k=rng.randrange(3)))
    if rng.random() < 0.8:
        text = spoil_text(text, rng)
    try:
        policy = parse_policy(text, "fuzz.yaml")
    except PolicyError as error:
        if not str(error).strip():
            message = "a policy error says nothing"
            raise ViolationError(message) from error
        return
    document = from_grid(rng).notebook
    document["metadata"]["qguard"] = {"classification": rng.choice(("public", "restricted", "x", 1))}
    result = guard.scan_notebook(document)
    verdict = decide_save(policy, result, frozenset())
    restricted = [finding for finding in result.findings if finding.classification is Classification.RESTRICTED]
    if restricted and verdict.action is Action.ALLOW:
        message = f"a credential found by {restricted[0].rule_id} is let through under {text!r}"
        raise ViolationError(message)


POLICY_CHECKS: tuple[Check, ...] = (policy_parses_or_says_why,)
