"""Scans files with NUL bytes: binary ones, and texts in which one encoding could hide another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.binary import LARGEST_BINARY, is_binary, narrow_runs, wide_runs
from jupyter_qguard.scan.finding import Confidence, ScanResult
from jupyter_qguard.scan.ruleset import load_ruleset
from jupyter_qguard.scan.text import decode_text
from jupyter_qguard.scan.wide import wide_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.scan.finding import Finding


def scan_mixed(data: bytes, scan_text: Callable[[str], ScanResult]) -> ScanResult:
    """Scan a file with *scan_text*; of a binary one up to ``LARGEST_BINARY`` the text in it, for what is beyond doubt.

    Raises
    ------
    InputError
        It is a text in which something stands in another encoding than the rest, and that is a secret.
    """
    wide = wide_of(data)
    if wide is None and is_binary(data):
        runs = f"{narrow_runs(data)}\n\n{wide_runs(data)}" if len(data) <= LARGEST_BINARY else ""
        result = scan_text(runs)
        certain = filter(_is_certain, result.findings)
        return ScanResult(tuple(certain), result.suppressed)
    hidden = wide_runs(data, wide) + (f"\n\n{narrow_runs(data)}" if wide else "")
    if hidden and scan_text(hidden).findings:
        message = "not text of one encoding, and a part in another one holds a secret"
        raise InputError(message)
    return scan_text(decode_text(data))


def _is_certain(finding: Finding) -> bool:
    """Whether it needs no look at its surroundings: there are none in a binary file, whose names of symbols pass for
    tokens. The maintained rules go by the shape."""
    rules = load_ruleset()
    by_shape = finding.rule_id not in rules.rules or any(rule.id == finding.rule_id for rule in rules.shapes)
    return by_shape or finding.confidence is Confidence.HIGH
