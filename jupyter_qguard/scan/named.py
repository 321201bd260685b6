"""Decides about values that something names: a binding, a heading, a key, the parameter of a call, the code shown."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from jupyter_qguard.scan.attribution import Attribution, Weight
from jupyter_qguard.scan.beside import fallback_value, listed_values, piped_value
from jupyter_qguard.scan.binding import read_binding, scheme_end
from jupyter_qguard.scan.call import called_name, keyword_argument, positional_argument
from jupyter_qguard.scan.candidate import candidates_at
from jupyter_qguard.scan.finding import Confidence
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role
from jupyter_qguard.scan.table import Rows, column_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.scan.buffer import Buffer, Segment
    from jupyter_qguard.scan.candidate import Candidate, Context
    from jupyter_qguard.scan.noted import Name, Notes
    from jupyter_qguard.scan.ruleset import CallSite, OwnRule, RuleSet
    from jupyter_qguard.scan.spot import Spots

_ONE_VALUE = re.compile(r"(?m)^[ \t\[(]*(?:[bru]?['\"])?([^\s'\"()\[\]<>]{6,2048})['\"]?[\])]*[ \t]*$")
LONGEST_LABELLED = 16384


class NamedValues:
    """The values of one buffer that are named."""

    def __init__(self, rules: RuleSet, buffer: Buffer, spots: Spots, context: Context, notes: Notes) -> None:
        """Nothing is decided before :meth:`candidates`."""
        self._rules = rules
        self._buffer = buffer
        self._text = buffer.text
        self._spots = spots
        self._context = context
        self._attribution = Attribution(rules)
        self._names = notes.names

    def candidates(self) -> Iterator[Candidate]:
        """All of them, overlapping ones included."""
        yield from self._bindings()
        yield from self._labels()
        yield from self._results()
        yield from self._calls()

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

    def _bound(self, name: Name) -> Iterator[Candidate]:
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
            yield from candidates_at(self._text, rule, segment, binding.start, binding.end, confidence, weight)
        else:
            yield from self._beside(name, binding.end if binding.quoted else name.stop)

    def _beside(self, name: Name, end: int) -> Iterator[Candidate]:
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
            yield from candidates_at(self._text, rule, segment, start, end, confidence, weight)

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
                    yield from candidates_at(self._text, rule, segment, *span, Confidence.HIGH, Weight.DIRECT)

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
