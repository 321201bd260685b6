"""What the stages of judging hand on: candidates, and what is known of the whole document."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.secret import is_handle, is_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.scan.buffer import Segment
    from jupyter_qguard.scan.finding import Confidence
    from jupyter_qguard.scan.names import Role
    from jupyter_qguard.scan.ruleset import OwnRule


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of the buffer that is taken for a secret."""

    rule_id: str
    rule: OwnRule | None
    """None for a rule of the upstream catalogue."""
    segment: Segment
    start: int
    end: int
    value: str
    confidence: Confidence
    weight: int
    message: str = ""


@dataclass(slots=True)
class Context:
    """What is known of a document across its buffers, by unit."""

    vendors: set[str] = field(default_factory=set)
    """Vendors whose words stand anywhere in the document."""
    unit_vendors: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    source_roles: set[int] = field(default_factory=set)
    """Units whose source names a credential."""
    shown: dict[int, tuple[str, Role]] = field(default_factory=dict)
    """Units whose source prints a credential, with its name."""
    marked: set[int] = field(default_factory=set)
    """Units in which anything at all was spotted that a secret could hang on."""
    sinks: set[int] = field(default_factory=set)
    """Of these, units whose code names or uses a credential, so that constants may flow there."""
    chosen: bool = False
    """Whether a password is named, which people choose, so that it need not look random."""


def candidates_at(
    text: str, rule: OwnRule, segment: Segment, start: int, end: int, confidence: Confidence, weight: int
) -> Iterator[Candidate]:
    """The candidate at a span of *text*, none where that is not within the segment, or holds a handle or a mark."""
    value = text[start:end]
    if start < end <= segment.end and start >= segment.start and not is_handle(value) and not is_mark(value):
        yield Candidate(rule.id, rule, segment, start, end, value, confidence, weight, rule.message)
