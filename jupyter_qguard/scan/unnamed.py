"""Decides about values that nothing names: those of a unique shape, passwords in URLs, what looks random near a word."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from jupyter_qguard.scan import strength
from jupyter_qguard.scan.attribution import Attribution, Weight
from jupyter_qguard.scan.candidate import candidates_at
from jupyter_qguard.scan.finding import Confidence
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role
from jupyter_qguard.scan.placeholders import PLACEHOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.buffer import Buffer, Segment
    from jupyter_qguard.scan.candidate import Candidate, Context
    from jupyter_qguard.scan.noted import Notes
    from jupyter_qguard.scan.ruleset import RuleSet
    from jupyter_qguard.scan.spot import Spots

NEAR = 160
"""Code points before a random-looking value in which a credential word counts as near."""
_BASIC_AUTH = re.compile(r"://([^\s/:@'\"<>]{0,64}):([^\s/@'\"<>]{3,256})@")
_ALONE = re.compile(r"[\s'\"`()\[\],]*(?:[bru]['\"])?\Z")
_BOUND = re.compile(
    r"([A-Za-z_][A-Za-z0-9_.\-]{0,63})\\{0,2}[\"']?\s{0,3}[:=]\s{0,3}[\[({]{0,2}[bruf]{0,2}\\{0,2}[\"']?\Z"
)
_OPTION = re.compile(r"--([a-z][a-z0-9-]{0,40})[ =][\"']?\Z")
_PAYLOAD = re.compile(r";base64,\Z|[A-Za-z0-9+/]{40}\\?\n\Z")
"""Before the base64 of an image, or the next line of it."""
LONG_HEX = 128
"""A hexadecimal value this long, alone in an output, is taken for the key of a vendor in use that has this shape."""
_APART = re.compile(r"""[.;]\s|\n\s*\n|["']\s{0,8},\s{0,8}["']""")
"""The end of a sentence or a paragraph, or of a string in a list."""
_INTRODUCES = re.compile(r"[^\n.;]{0,64}\n\s*(?:```[a-z]*\n\s*)?")
"""A line that ends with what stands below it, be it in a block of its own."""
_ENTITY_BEFORE = re.compile(r"&#?\w{1,8};\Z")
_DIGEST = re.compile(r"[A-Za-z0-9+/]{43}=\Z")
"""SHA-256 in base64."""
_SLUG = re.compile(r"(?:[a-z0-9]{1,12}[-_]){3,}[a-z0-9]{1,12}\Z")
_PUBLIC = re.compile(
    r"(?:public[_ -]?key|(?:ssh|ecdsa)-[a-z0-9-]{3,20}|CERTIFICATE|fingerprint)[^\n]{0,24}\Z", re.IGNORECASE
)


class UnnamedValues:
    """The values of one buffer that stand for themselves."""

    def __init__(self, rules: RuleSet, buffer: Buffer, spots: Spots, context: Context, notes: Notes) -> None:
        """Nothing is decided before the values are asked for."""
        self._rules = rules
        self._buffer = buffer
        self._text = buffer.text
        self._spots = spots
        self._context = context
        self._attribution = Attribution(rules)
        self._role_ends = notes.ends

    def shaped(self) -> Iterator[Candidate]:
        """Values of a unique shape."""
        done: set[tuple[str, int]] = set()
        for rule, end in self._spots.shapes:
            segment = self._buffer.segment(end - 1)
            if segment is None or (rule.id, segment.start) in done or rule.bounded is None:
                continue
            done.add((rule.id, segment.start))
            for match in rule.bounded.finditer(self._text, segment.start, segment.end):
                value = match.group()
                if (
                    strength.is_placeholder(value)
                    or strength.entropy(value) < 2.0
                    or _is_public(self._text, match.start())
                ):
                    continue
                confidence = Confidence.HIGH if rule.vendor else Confidence.MEDIUM
                weight = Weight.SHAPE if rule.vendor else Weight.GENERAL_SHAPE
                yield from candidates_at(self._text, rule, segment, match.start(), match.end(), confidence, weight)

    def in_urls(self) -> Iterator[Candidate]:
        """Passwords in URLs."""
        rule = self._rules.rules["credential-in-url"]
        for start in self._spots.urls:
            match = _BASIC_AUTH.match(self._text, start)
            segment = self._buffer.segment(start)
            if match is None or segment is None:
                continue
            value = match.group(2)
            # The default of many a database, postgres:postgres, and what guides write.
            if value.lower() == match.group(1).lower() or strength.is_sequence(value.lower()):
                continue
            numbered = any(char.isdigit() for char in value) and value not in PLACEHOLDERS
            if (numbered or not strength.is_placeholder(value)) and not set("{}<>") & set(value) and value[0] != "$":
                yield from candidates_at(self._text, rule, segment, *match.span(2), Confidence.MEDIUM, Weight.URL)

    def random(self) -> Iterator[Candidate]:
        """Random-looking values without a binding: a credential word or the vendor itself must be near."""
        for start, end in self._spots.runs:
            segment = self._buffer.segment(start)
            if segment is None or end - start > 512 or end > segment.end:
                continue
            unit_vendors = self._context.unit_vendors.get(segment.unit)
            spoken_of = segment.unit in self._context.source_roles or self._role_near(segment, start)
            if not spoken_of and not (unit_vendors and self._fits_any(start, end, unit_vendors)):
                continue
            yield from self._run(segment, start, end, unit_vendors or set())

    def _run(self, segment: Segment, start: int, end: int, unit_vendors: set[str]) -> Iterator[Candidate]:
        value = self._text[start:end]
        near = self._is_named(segment, start)
        evidence = near or self._is_alone_where_it_counts(segment, start, end)
        rule = self._attribution.of_shape(value, unit_vendors, self._context.vendors if evidence else unit_vendors)
        if not (evidence or rule) or not self._is_random(segment, start, end, value):  # the cheaper question first
            return
        if self._is_bound_otherwise(segment, start) or _is_public(self._text, start):
            return
        if rule is not None and (evidence or not (strength.is_hex(value) or _DIGEST.match(value))):
            yield from candidates_at(self._text, rule, segment, start, end, Confidence.MEDIUM, Weight.SHAPE_NEAR)
        elif evidence and not (strength.is_hex(value) and not near):
            nearby = self._rules.rules["nearby-credential"]
            yield from candidates_at(self._text, nearby, segment, start, end, Confidence.LOW, Weight.NEARBY)

    def _is_random(self, segment: Segment, start: int, end: int, value: str) -> bool:
        """Whether the *value* there looks random, and is of no kind that only looks so."""
        if not strength.is_random(value) or strength.is_uuid(value) or strength.is_placeholder(value):
            return False
        return not (strength.is_harmless(value) or self._glued(segment, start, end) or _is_path(value))

    def _is_alone_where_it_counts(self, segment: Segment, start: int, end: int) -> bool:
        """Whether the value stands alone in what a cell shows that names a credential, or is a vendor's long key."""
        if not self._is_alone(segment, start, end):
            return False
        if segment.kind not in (Kind.CODE, Kind.MARKDOWN) and segment.unit in self._context.source_roles:
            return True
        value = self._text[start:end]
        return len(value) >= LONG_HEX and self._attribution.of_shape(value, set(), self._context.vendors) is not None

    def _fits_any(self, start: int, end: int, vendors: AbstractSet[str]) -> bool:
        return self._attribution.of_shape(self._text[start:end], vendors, vendors) is not None

    def _role_near(self, segment: Segment, start: int) -> bool:
        number = bisect_right(self._role_ends, start) - 1
        return number >= 0 and self._role_ends[number] >= segment.start

    def _is_named(self, segment: Segment, start: int) -> bool:
        """Whether a credential word stands close before, on the same line or the one above."""
        number = bisect_left(self._role_ends, max(segment.start, start - NEAR))
        for role_end in self._role_ends[number:]:
            if role_end > start:
                break
            gap = self._text[role_end:start]
            if gap.count("\n") <= 1 and not _APART.search(gap):
                return True
            if segment.kind == Kind.MARKDOWN and _INTRODUCES.fullmatch(gap):
                return True
        return False

    def _is_bound_otherwise(self, segment: Segment, start: int) -> bool:
        """Whether the value belongs to a name that says no credential: ``client_id="…"``."""
        low = max(segment.start, start - 72)
        match = _BOUND.search(self._text, low, start) or _OPTION.search(self._text, low, start)
        return match is not None and self._rules.meaning(match.group(1)) is Role.NONE

    def _is_alone(self, segment: Segment, start: int, end: int) -> bool:
        before = self._text[max(segment.start, start - 16) : start]
        after = self._text[end : min(segment.end, end + 16)]
        return _ALONE.match(before) is not None and _ALONE.match(after) is not None

    def _glued(self, segment: Segment, start: int, end: int) -> bool:
        """Whether the run is a part of something longer: a path, a URL, a dotted name, a file name."""
        before = self._text[start - 1] if start > segment.start else " "
        after = self._text[end] if end < segment.end else " "
        if before == ";" and _ENTITY_BEFORE.search(self._text, max(segment.start, start - 10), start):
            return True
        if before in ",\n" and _PAYLOAD.search(self._text, max(segment.start, start - 48), start):
            return True
        return before in "./\\@#$%&" or (after in "./\\@(" and self._text[end + 1 : end + 2].isalnum())


def _is_path(value: str) -> bool:
    """Whether the run is a path, or words and numbers joined by dashes."""
    if _SLUG.match(value):
        return True
    parts = value.split("/")
    return len(parts) > 1 and any(
        strength.is_uuid(part) or (len(part) >= 4 and part.isalpha() and strength.wordiness(part) > 0.4)
        for part in parts
    )


def _is_public(text: str, start: int) -> bool:
    return _PUBLIC.search(text, max(0, start - 48), start) is not None
