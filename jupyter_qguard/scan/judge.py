"""Decides which spots of a buffer are secrets, of which rule, and how sure that is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.scan import strength
from jupyter_qguard.scan.attribution import Attribution, Weight
from jupyter_qguard.scan.binding import (
    called_name,
    fallback_value,
    keyword_argument,
    listed_values,
    name_span,
    piped_value,
    positional_argument,
    read_binding,
    scheme_end,
)
from jupyter_qguard.scan.finding import Confidence
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role, role
from jupyter_qguard.scan.placeholders import PLACEHOLDERS
from jupyter_qguard.scan.shown import is_shown
from jupyter_qguard.scan.table import Rows, column_below
from jupyter_qguard.secret import is_handle, is_mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.buffer import Buffer, Segment
    from jupyter_qguard.scan.ruleset import CallSite, OwnRule, RuleSet
    from jupyter_qguard.scan.spot import Spots

NEAR = 160
"""Code points before a random-looking value in which a credential word counts as near."""
_BASIC_AUTH = re.compile(r"://([^\s/:@'\"<>]{0,64}):([^\s/@'\"<>]{3,256})@")
_ALONE = re.compile(r"[\s'\"`()\[\],]*(?:[bru]['\"])?\Z")
_ONE_VALUE = re.compile(r"(?m)^[ \t\[(]*(?:[bru]?['\"])?([^\s'\"()\[\]<>]{6,2048})['\"]?[\])]*[ \t]*$")
LONGEST_LABELLED = 16384
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
_FILE_TYPE = re.compile(
    r"\.(?:exe|dll|py|json|txt|pem|ya?ml|md|html?|csv|ipynb|sh|js|ts|cfg|ini|toml|db|log|svg|png)\b(?!\s*[=:(])"
)
_INTRODUCES = re.compile(r"[^\n.;]{0,64}\n\s*(?:```[a-z]*\n\s*)?")
"""A line that ends with what stands below it, be it in a block of its own."""
_ENTITY_BEFORE = re.compile(r"&#?\w{1,8};\Z")
_DIGEST = re.compile(r"[A-Za-z0-9+/]{43}=\Z")
"""SHA-256 in base64."""
_SLUG = re.compile(r"(?:[a-z0-9]{1,12}[-_]){3,}[a-z0-9]{1,12}\Z")


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


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that says credential, where it stands."""

    segment: Segment
    start: int
    stop: int
    word_end: int
    text: str
    meaning: Role


class Judge:
    """Judges one buffer of a document; what it learns of the document goes to the shared context."""

    def __init__(self, rules: RuleSet, buffer: Buffer, spots: Spots, context: Context) -> None:
        """Note the names and vendors that the buffer speaks of. Nothing is decided yet."""
        self._rules = rules
        self._buffer = buffer
        self._text = buffer.text
        self._spots = spots
        self._context = context
        self._attribution = Attribution(rules)
        self._names: list[_Name] = []
        self._note_marks()
        self._note_names()
        self._role_ends = [name.word_end for name in self._names]

    def _note_marks(self) -> None:
        context = self._context
        for position, vendor in self._spots.words:
            segment = self._buffer.segment(position - 1)
            if segment is not None:
                context.unit_vendors[segment.unit].add(vendor)
                context.vendors.add(vendor)
                context.marked.add(segment.unit)
        calls = (end for end in self._spots.calls if self._takes_credential(end))
        others = (*calls, *self._spots.urls, *self._spots.marks, *(end for _, end in self._spots.shapes))
        for position in others:
            segment = self._buffer.segment(position - 1)
            if segment is not None:
                self._mark(segment)

    def _mark(self, segment: Segment) -> None:
        self._context.marked.add(segment.unit)
        if segment.kind in (Kind.CODE, Kind.TEXT):
            self._context.sinks.add(segment.unit)

    def _takes_credential(self, end: int) -> bool:
        segment = self._buffer.segment(end - 1)
        dotted = called_name(self._text, segment.start, end - 1) if segment else ""
        return segment is not None and self._rules.takes_credential(self._text, dotted, end)

    def _note_names(self) -> None:
        last = -1
        for end in self._spots.names:
            if end <= last:
                continue
            segment = self._buffer.segment(end - 1)
            if segment is None:
                continue
            start, stop = name_span(self._text, segment.start, segment.end, end)
            text = self._text[start:stop]
            meaning = self._rules.meaning(text)
            if meaning is not Role.NONE and _FILE_TYPE.match(self._text, stop, segment.end):
                continue
            if meaning is Role.NONE:
                if start > segment.start and self._text[start - 1] == "\\":  # LaTeX and Markdown: api\_key
                    self._context.marked.add(segment.unit)
                continue
            last = stop
            self._names.append(_Name(segment, start, stop, end, text, meaning))
            self._mark(segment)
            self._context.chosen |= meaning is Role.PASSWORD or role(text) is Role.PASSWORD
            if segment.kind == Kind.CODE:
                self._context.source_roles.add(segment.unit)
                if is_shown(self._text, segment.start, segment.end, start, stop):
                    self._context.shown.setdefault(segment.unit, (text, meaning))

    def candidates(self) -> Iterator[Candidate]:
        """All candidates, overlapping ones included."""
        yield from self._shapes()
        yield from self._bindings()
        yield from self._labels()
        yield from self._results()
        yield from self._calls()
        yield from self._urls()
        yield from self._runs()

    def _candidate(
        self, rule: OwnRule, segment: Segment, start: int, end: int, confidence: Confidence, weight: int
    ) -> Iterator[Candidate]:
        value = self._text[start:end]
        if start < end <= segment.end and start >= segment.start and not is_handle(value) and not is_mark(value):
            yield Candidate(rule.id, rule, segment, start, end, value, confidence, weight, rule.message)

    def _shapes(self) -> Iterator[Candidate]:
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
                yield from self._candidate(rule, segment, match.start(), match.end(), confidence, weight)

    def _bindings(self) -> Iterator[Candidate]:
        rows = Rows.of(self._text)
        for name in self._names:
            segment = name.segment
            yield from self._bound(name)
            code = segment.kind == Kind.CODE
            for span in column_below(
                self._text, segment.start, segment.end, name.start, name.stop, code=code, rows=rows
            ):
                yield from self._named(segment, name.text, name.meaning, *span, column=True)

    def _bound(self, name: _Name) -> Iterator[Candidate]:
        segment, meaning = name.segment, name.meaning
        binding = read_binding(self._text, segment.start, segment.end, name.word_end)
        if binding is None:
            yield from self._beside(name, name.stop)
            return
        found = self._attribution.of_binding(
            self._text,
            segment,
            binding,
            meaning,
            self._context.unit_vendors[segment.unit],
            self._context.vendors,
        )
        if found:
            rule, confidence, weight = found
            yield from self._candidate(rule, segment, binding.start, binding.end, confidence, weight)
        else:
            yield from self._beside(name, binding.end if binding.quoted else name.stop)

    def _beside(self, name: _Name, end: int) -> Iterator[Candidate]:
        """What may take the place of a value that is missing, and the strings of a list: ``tokens = ["…", "…"]``."""
        segment = name.segment
        if segment.kind == Kind.CODE and (
            other := fallback_value(self._text, segment.end, end, listed=end != name.stop)
        ):
            yield from self._named(segment, name.text, name.meaning, *other)
        if name.text.endswith(("-stdin", "with-token")) and (
            other := piped_value(self._text, segment.start, name.start)
        ):
            yield from self._named(segment, name.text, Role.STRONG, *other)
        for span in listed_values(self._text, segment.end, name.stop):
            yield from self._named(segment, name.text, name.meaning, *span)

    def _named(
        self, segment: Segment, name: str, meaning: Role, start: int, end: int, *, column: bool = False
    ) -> Iterator[Candidate]:
        """A value that a key, the heading of its *column* or the code beside it names."""
        start = scheme_end(self._text, start, end) or start
        unit_vendors = self._context.unit_vendors[segment.unit]
        value = self._text[start:end]
        found = self._attribution.of_label(name, value, meaning, unit_vendors, self._context.vendors, column=column)
        if found:
            rule, confidence, weight = found
            yield from self._candidate(rule, segment, start, end, confidence, weight)

    def _results(self) -> Iterator[Candidate]:
        """Lines of an output that are one value, where the cell's code shows a credential: ``print(token)``."""
        for segment in self._buffer.segments:
            shown = self._context.shown.get(segment.unit)
            if shown is None or segment.kind not in (Kind.STREAM, Kind.DATA):
                continue
            for match in _ONE_VALUE.finditer(self._text, segment.start, segment.end):
                yield from self._named(segment, *shown, *match.span(1))

    def _labels(self) -> Iterator[Candidate]:
        """Values whose key, column or neighbour names them."""
        for segment in self._buffer.segments:
            if not segment.label or segment.end - segment.start > LONGEST_LABELLED:
                continue
            meaning = self._rules.meaning(segment.label.strip(" :*"))
            if meaning is Role.NONE:
                continue
            raw = self._text[segment.start : segment.end]
            value = raw.strip()
            start = segment.start + raw.find(value)
            yield from self._named(segment, segment.label.strip(" :*"), meaning, start, start + len(value))

    def _calls(self) -> Iterator[Candidate]:
        for end in self._spots.calls:
            segment = self._buffer.segment(end - 1)
            if segment is None:
                continue
            dotted = called_name(self._text, segment.start, end - 1) or "auth"
            given: defaultdict[tuple[int, int], list[OwnRule]] = defaultdict(list)
            for site in self._rules.sites(dotted):
                for span in self._arguments(site, segment, end):
                    given[span].append(site.rule)
            vendors = self._context.unit_vendors[segment.unit]
            for span, rules in given.items():
                rule = self._attribution.best(rules, self._text[span[0] : span[1]], vendors)
                if rule is not None:
                    self._context.source_roles.add(segment.unit)
                    yield from self._candidate(rule, segment, *span, Confidence.HIGH, Weight.DIRECT)

    def _arguments(self, site: CallSite, segment: Segment, start: int) -> Iterator[tuple[int, int]]:
        """Spans of the strings given to the parameters of a call that take the credential."""
        if site.call.position is not None:
            span = positional_argument(self._text, segment.end, start, site.call.position)
            if span is not None:
                yield span
        for name in site.call.arguments:
            span = keyword_argument(self._text, segment.end, start, name)
            if span is not None:
                yield span

    def _urls(self) -> Iterator[Candidate]:
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
                yield from self._candidate(rule, segment, *match.span(2), Confidence.MEDIUM, Weight.URL)

    def _runs(self) -> Iterator[Candidate]:
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
        if not strength.is_random(value) or strength.is_uuid(value) or strength.is_placeholder(value):
            return
        if strength.is_harmless(value) or self._glued(segment, start, end) or _is_path(value):
            return
        near = self._is_named(segment, start)
        if self._is_bound_otherwise(segment, start) or _is_public(self._text, start):
            return
        alone = (
            segment.kind not in (Kind.CODE, Kind.MARKDOWN)
            and segment.unit in self._context.source_roles
            and self._is_alone(segment, start, end)
        )
        if not alone and len(value) >= LONG_HEX and self._is_alone(segment, start, end):
            alone = self._attribution.of_shape(value, set(), self._context.vendors) is not None
        evidence = near or alone
        rule = self._attribution.of_shape(value, unit_vendors, self._context.vendors if evidence else unit_vendors)
        if rule is not None and (evidence or not (strength.is_hex(value) or _DIGEST.match(value))):
            yield from self._candidate(rule, segment, start, end, Confidence.MEDIUM, Weight.SHAPE_NEAR)
        elif evidence and not (strength.is_hex(value) and not near):
            nearby = self._rules.rules["nearby-credential"]
            yield from self._candidate(nearby, segment, start, end, Confidence.LOW, Weight.NEARBY)

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


_PUBLIC = re.compile(
    r"(?:public[_ -]?key|(?:ssh|ecdsa)-[a-z0-9-]{3,20}|CERTIFICATE|fingerprint)[^\n]{0,24}\Z", re.IGNORECASE
)


def _is_public(text: str, start: int) -> bool:
    return _PUBLIC.search(text, max(0, start - 48), start) is not None
