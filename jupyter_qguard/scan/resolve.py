"""Turns candidates into findings: back to the raw text, overlaps resolved, every copy of a found value included."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from jupyter_qguard.scan import strength
from jupyter_qguard.scan.attribution import Weight
from jupyter_qguard.scan.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.scan.buffer import Buffer
    from jupyter_qguard.scan.judge import Candidate
    from jupyter_qguard.scan.view import Origin

SHORTEST_COPY = 12
"""Values shorter than this are not looked for elsewhere: a chance match would be likely."""
MOST_COPIES = 10_000
_SOUGHT_ANYWHERE = 256
"""So many values are looked for anywhere in the text, further ones where they stand as a word: linear in the text."""
_WORD = re.compile(r"[A-Za-z0-9_+/=.~\-]{12,}")
_SHORTEST_REST = 8


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
    taken: defaultdict[int, _Taken] = defaultdict(_Taken)
    kept: list[Located] = []
    for item in sorted(located, key=_order):
        rest = [run for whole in item.runs for run in taken[whole[0]].outside(whole)]
        if tuple(rest) != item.runs:
            rest = [run for run in rest if run[2] - run[1] >= _SHORTEST_REST]
            left = sum(end - start for _, start, end in rest)
            if left * 2 < item.size or item.candidate.weight < Weight.NAMED:
                continue
        kept.append(replace(item, runs=tuple(rest)))
        for fragment, start, end in rest:
            taken[fragment].add(start, end)
    return kept


def _order(item: Located) -> tuple[int, int, int, str]:
    candidate = item.candidate
    key_file = candidate.rule_id.endswith("private-key")
    return (
        -(Weight.DIRECT + 1 if key_file else candidate.weight),
        -item.size,
        candidate.segment.depth,
        candidate.rule_id,
    )


class _Taken:
    """Runs of one fragment that findings have, apart from one another and in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Take a run that is outside of all others."""
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)

    def outside(self, run: Origin) -> list[Origin]:
        """What of *run* is not taken."""
        fragment, start, end = run
        parts: list[Origin] = []
        for at in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            if start < self._starts[at]:
                parts.append((fragment, start, self._starts[at]))
            start = max(start, self._ends[at])
        if start < end:
            parts.append((fragment, start, end))
        return parts


def copies(buffer: Buffer, found: Iterable[Located]) -> list[Candidate]:
    """Every other place at which a found value stands, whatever is around it."""
    values: dict[str, Candidate] = {}
    for item in found:
        candidate = item.candidate
        value = candidate.value
        telling = len(value) >= 24 or (len(value) >= SHORTEST_COPY and strength.is_random(value, length=SHORTEST_COPY))
        if telling and candidate.confidence > Confidence.LOW:
            values.setdefault(value, candidate)
    out: list[Candidate] = []
    for value, candidate in islice(values.items(), _SOUGHT_ANYWHERE):
        at = buffer.text.find(value)
        while at >= 0 and len(out) < MOST_COPIES:
            out += _copy(buffer, candidate, at)
            at = buffer.text.find(value, at + len(value))
    if len(values) > _SOUGHT_ANYWHERE:
        for match in _WORD.finditer(buffer.text):
            found_again = values.get(match.group())
            if found_again is not None and len(out) < MOST_COPIES:
                out += _copy(buffer, found_again, match.start())
    return out


def _copy(buffer: Buffer, candidate: Candidate, at: int) -> list[Candidate]:
    end = at + len(candidate.value)
    segment = buffer.segment(at)
    if segment is None or end > segment.end or not _stands_alone(buffer.text, at, end):
        return []
    return [replace(candidate, segment=segment, start=at, end=end, weight=candidate.weight - 1)]


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (text[start - 1].isalnum() and text[start].isalnum()) and not (
        text[end : end + 1].isalnum() and text[end - 1].isalnum()
    )
