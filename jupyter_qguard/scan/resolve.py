"""Turns candidates into findings: back to the raw text, overlaps resolved, every copy of a found value included."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
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
    taken: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    kept: list[Located] = []
    for item in sorted(located, key=_order):
        rest = [run for whole in item.runs for run in _outside(whole, taken[whole[0]])]
        if tuple(rest) != item.runs:
            rest = [run for run in rest if run[2] - run[1] >= _SHORTEST_REST]
            left = sum(end - start for _, start, end in rest)
            if left * 2 < item.size or item.candidate.weight < Weight.NAMED:
                continue
        kept.append(replace(item, runs=tuple(rest)))
        for fragment, start, end in rest:
            taken[fragment].append((start, end))
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


def _outside(run: Origin, taken: list[tuple[int, int]]) -> list[Origin]:
    """What of *run* is not in *taken*."""
    fragment, start, end = run
    parts = [(start, end)]
    for low, high in taken:
        parts = [part for a, b in parts for part in ((a, min(b, low)), (max(a, high), b)) if part[0] < part[1]]
    return [(fragment, a, b) for a, b in parts]


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
    for value, candidate in values.items():
        at = buffer.text.find(value)
        while at >= 0 and len(out) < MOST_COPIES:
            end = at + len(value)
            segment = buffer.segment(at)
            if segment is not None and end <= segment.end and _stands_alone(buffer.text, at, end):
                out.append(replace(candidate, segment=segment, start=at, end=end, weight=candidate.weight - 1))
            at = buffer.text.find(value, end)
    return out


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (text[start - 1].isalnum() and text[start].isalnum()) and not (
        text[end : end + 1].isalnum() and text[end - 1].isalnum()
    )
