"""What people declare not to be a secret: comments in code and text, cell tags and metadata.

Comments count only where a person wrote them: in sources and text files, never in outputs, which any program can write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.scan.finding import SuppressionKind
from jupyter_qguard.scan.fragment import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.scan.finding import Span
    from jupyter_qguard.scan.fragment import Fragment, Unit

WRITTEN = frozenset((Kind.CODE, Kind.MARKDOWN, Kind.RAW, Kind.TEXT))
_OWN = re.compile(r"qguard:\s*allow\[([A-Za-z0-9_.*,\s/-]+)\][ \t]*([^\n]*)")
_PRAGMA = re.compile(r"pragma:?\s*allowlist[ -]secret|gitleaks:allow", re.IGNORECASE)
_NEXT_LINE = re.compile(r"pragma:?\s*allowlist[ -]nextline[ -]secret", re.IGNORECASE)
_COMMENT_ONLY = re.compile(r"\s*(?:#|//|--|;|%|<!--|/\*|\"\"\")")
_COMMENT_END = re.compile(r"\s*(?:-->|\*/|\"\"\")\s*\Z")


@dataclass(frozen=True, slots=True)
class Allowance:
    """By what, and with which reason, a finding is suppressed."""

    kind: SuppressionKind
    reason: str


def allowance(unit: Unit, fragment: Fragment, spans: Sequence[Span], rule_id: str) -> Allowance | None:
    """What suppresses a finding of *rule_id* at *spans*, None if nothing does."""
    if unit.allowed is not None and (not unit.allowed or _covers(unit.allowed, rule_id)):
        return Allowance(SuppressionKind.CELL, unit.reason)
    if fragment.kind not in WRITTEN or not spans:
        return None
    text = fragment.text
    start = text.rfind("\n", 0, spans[0][0]) + 1
    end = text.find("\n", spans[-1][1])
    lines = text[start : end if end >= 0 else len(text)]
    above = text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)]
    if "allow" not in lines and "allow" not in above:
        return None
    for match in _OWN.finditer(lines):
        if found := _own(match, rule_id):
            return found
    if _COMMENT_ONLY.match(above):
        for match in _OWN.finditer(above):
            if found := _own(match, rule_id):
                return found
    if _PRAGMA.search(lines) or _NEXT_LINE.search(above):
        return Allowance(SuppressionKind.PRAGMA, "")
    return None


def _own(match: re.Match[str], rule_id: str) -> Allowance | None:
    """Our own comment: it counts only with a reason."""
    reason = _COMMENT_END.sub("", match.group(2)).strip()
    named = [name.strip() for name in match.group(1).split(",")]
    return Allowance(SuppressionKind.INLINE, reason) if reason and _covers(named, rule_id) else None


def _covers(named: Sequence[str], rule_id: str) -> bool:
    return rule_id in named or "*" in named
