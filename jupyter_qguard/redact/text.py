"""Puts marks in place of spans of one string."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

REST_MARK = "[redacted]"
"""In place of each further part of a secret."""


class Located(Protocol):
    """What redaction must know of a finding."""

    @property
    def rule_id(self) -> str:
        """Names the rule in the mark."""

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """``[start, end)`` in code points, ascending."""

    @property
    def pointer(self) -> str:
        """JSON pointer of the string."""

    @property
    def in_key(self) -> bool:
        """Whether the string is an object's key."""


def first_mark(rule_id: str) -> str:
    """The mark in place of a secret, or of its first part."""
    return f"[redacted:{rule_id}]"


def redact_text(text: str, findings: Iterable[Located]) -> str:
    """*text* with every span of every finding replaced. Spans that overlap are replaced once."""
    return apply_marks(text, marks(findings))


def marks(findings: Iterable[Located]) -> list[tuple[int, int, str]]:
    """``(start, end, mark)`` of every span."""
    out = []
    for finding in findings:
        for number, (start, end) in enumerate(finding.spans):
            out.append((start, end, REST_MARK if number else first_mark(finding.rule_id)))
    return out


def apply_marks(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Replace ``[start, end)`` by its mark, for each; what an earlier one covered is not replaced again."""
    parts: list[str] = []
    done = 0
    for start, end, mark in sorted(spans):
        if end <= done:
            continue
        parts += (text[done : max(start, done)], mark)
        done = end
    parts.append(text[done:])
    return "".join(parts)
