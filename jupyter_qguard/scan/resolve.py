"""Turns candidates into findings: back to the raw text, overlaps resolved, every copy of a found value included."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_qguard.scan import strength
from jupyter_qguard.scan.attribution import Weight
from jupyter_qguard.scan.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from jupyter_qguard.scan.buffer import Buffer
    from jupyter_qguard.scan.judge import Candidate
    from jupyter_qguard.scan.view import Origin

SHORTEST_COPY = 12
"""Values shorter than this are not looked for elsewhere: a chance match would be likely."""
MOST_COPIES = 10_000
_SHORTEST_REST = 8
_FEW = 64
"""Values that are looked for one by one: each pass is a fast search, and a pass for all is a slow loop."""


@dataclass(frozen=True, slots=True)
class Located:
    """A candidate with its raw runs."""

    candidate: Candidate
    runs: tuple[Origin, ...]

    @property
    def size(self) -> int:
        """Raw code points covered."""
        return sum(end - start for _, start, end in self.runs)


def locate(candidates: Iterable[Candidate]) -> list[Located]:
    """Map candidates to raw text; those made wholly of inserted text vanish."""
    out = []
    for candidate in candidates:
        runs = candidate.segment.origins(candidate.start, candidate.end)
        if runs:
            out.append(Located(candidate, runs))
    return out


def resolve(located: list[Located]) -> list[Located]:
    """Of findings that overlap, keep the one with better grounds; of equal grounds, the larger.

    A key file goes before anything found in its lines. What sticks out of the kept ones by more than half stays a
    finding of its own, so that nothing found is left behind.
    """
    taken: defaultdict[int, Taken] = defaultdict(Taken)
    kept: list[Located] = []
    for item in sorted(located, key=_order):
        rest = [
            (fragment, low, high)
            for fragment, start, end in item.runs
            for low, high in taken[fragment].outside(start, end)
        ]
        if tuple(rest) != item.runs:
            rest = [run for run in rest if run[2] - run[1] >= _SHORTEST_REST]
            left = sum(end - start for _, start, end in rest)
            if left * 2 < item.size or item.candidate.weight < Weight.NAMED:
                continue
        kept.append(replace(item, runs=tuple(rest)))
        for fragment, start, end in rest:
            taken[fragment].add(start, end)
    return kept


class Taken:
    """Spans of one text that are spoken for: disjoint, in ascending order."""

    def __init__(self) -> None:
        """Start with none."""
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Take a span of which nothing was taken before."""
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)

    def outside(self, start: int, end: int) -> list[tuple[int, int]]:
        """What of a span is not taken."""
        parts: list[tuple[int, int]] = []
        at = bisect_right(self._ends, start)
        while at < len(self._starts) and self._starts[at] < end:
            if start < self._starts[at]:
                parts.append((start, self._starts[at]))
            start = self._ends[at]
            at += 1
        if start < end:
            parts.append((start, end))
        return parts


def _order(item: Located) -> tuple[int, int, int, str]:
    candidate = item.candidate
    key_file = candidate.rule_id.endswith("private-key")
    return (
        -(Weight.DIRECT + 1 if key_file else candidate.weight),
        -item.size,
        candidate.segment.depth,
        candidate.rule_id,
    )


def repeated(found: Iterable[Located]) -> dict[str, Candidate]:
    """The found values that are looked for elsewhere."""
    values: dict[str, Candidate] = {}
    for item in found:
        candidate = item.candidate
        value = candidate.value
        telling = len(value) >= 24 or (len(value) >= SHORTEST_COPY and strength.is_random(value, length=SHORTEST_COPY))
        if telling and candidate.confidence > Confidence.LOW:
            values.setdefault(value, candidate)
    return values


def copies(buffer: Buffer, values: Mapping[str, Candidate]) -> list[Candidate]:
    """Every place at which one of *values* stands, whatever is around it."""
    out: list[Candidate] = []
    for value, at in _places(buffer.text, values):
        end = at + len(value)
        segment = buffer.segment(at)
        if segment is not None and end <= segment.end and _stands_alone(buffer.text, at, end):
            candidate = values[value]
            out.append(replace(candidate, segment=segment, start=at, end=end, weight=candidate.weight - 1))
            if len(out) >= MOST_COPIES:
                break
    return out


def _places(text: str, values: Collection[str]) -> Iterator[tuple[str, int]]:
    """Where which of *values* stand in *text*. Of many values, which would each take a pass, in one pass over all."""
    if len(values) <= _FEW:
        for value in values:
            at = text.find(value)
            while at >= 0:
                yield value, at
                at = text.find(value, at + len(value))
        return
    by_head: defaultdict[str, list[str]] = defaultdict(list)
    for value in values:
        by_head[value[:SHORTEST_COPY]].append(value)
    for at in range(len(text) - SHORTEST_COPY + 1):
        for value in by_head.get(text[at : at + SHORTEST_COPY], ()):
            if text.startswith(value, at):
                yield value, at


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (text[start - 1].isalnum() and text[start].isalnum()) and not (
        text[end : end + 1].isalnum() and text[end - 1].isalnum()
    )
