"""Compares what a scanner found with the truth of a grid notebook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from benchmarks.grid import Case
from benchmarks.marks import Occurrence, Span


class Found(Protocol):
    """The part of a finding that counts here."""

    @property
    def rule_id(self) -> str:
        """Which rule found it."""
        ...

    @property
    def pointer(self) -> str:
        """JSON pointer of the string."""
        ...

    @property
    def spans(self) -> tuple[Span, ...]:
        """What must go."""
        ...

    @property
    def in_key(self) -> bool:
        """Whether the string is a key."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a scanner did on one notebook."""

    hit: bool
    """Every secret was touched."""
    exact: bool
    """Every secret's characters, and no others, were named by one finding per string."""
    stray: int
    """Findings that touch no planted secret."""


def judge(case: Case, findings: Iterable[Found]) -> Verdict:
    """Judge one notebook."""
    found = list(findings)
    groups = case.secrets()
    hit = all(any(_touches(f, o) for o in group for f in found) for group in groups)
    exact = all(any(_equals(f, o) for f in found) for group in groups for o in group)
    stray = sum(not any(_touches(f, o) for o in case.occurrences) for f in found)
    return Verdict(hit, exact, stray)


def _same_string(found: Found, truth: Occurrence) -> bool:
    if found.in_key != truth.in_key:
        return False
    if not truth.in_key:
        return found.pointer == truth.pointer
    return found.pointer == f"{truth.pointer}/{_redacted_step(found, truth)}"


def _redacted_step(found: Found, truth: Occurrence) -> str:
    """The step of a pointer that names a redacted key."""
    made, at = "", 0
    for number, (start, end) in enumerate(found.spans):
        made += truth.text[at:start] + ("[redacted]" if number else f"[redacted:{found.rule_id}]")
        at = end
    return (made + truth.text[at:]).replace("~", "~0").replace("/", "~1")


def _touches(found: Found, truth: Occurrence) -> bool:
    return _same_string(found, truth) and any(
        start < stop and begin < end for start, end in found.spans for begin, stop in truth.spans
    )


def _equals(found: Found, truth: Occurrence) -> bool:
    if not _same_string(found, truth):
        return False
    spans = tuple(tuple(span) for span in found.spans)
    if spans == truth.spans:
        return True
    low, high = truth.spans[0][0], truth.spans[-1][1]
    if len(spans) != 1:
        return False
    start, end = spans[0]
    if truth.cores:
        return low <= start <= truth.cores[0][0] and truth.cores[-1][1] <= end <= high
    # Markup between the parts (colours, tags, a line break) may go with them; literals' quotes may not.
    return (start, end) == (low, high) and all(_is_markup(gap) for gap in _gaps(truth))


def _gaps(truth: Occurrence) -> list[str]:
    return [truth.text[a[1] : b[0]] for a, b in pairwise(truth.spans)]


def _is_markup(gap: str) -> bool:
    return gap.startswith(("\x1b[", "<", "&")) or gap == "\n"
