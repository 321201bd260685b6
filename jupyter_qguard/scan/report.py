"""Makes the result out of what was resolved: pointers, spans, previews, fingerprints, suppressions."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol, TypeVar

from jupyter_qguard.scan.classify import SEVERITY
from jupyter_qguard.scan.finding import (
    CellRef,
    Classification,
    Confidence,
    Finding,
    Place,
    ScanResult,
    Severity,
    Suppressed,
    fingerprint,
    mask,
)
from jupyter_qguard.scan.fragment import Kind, pointer
from jupyter_qguard.scan.suppression import allowance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.scan.classify import Label
    from jupyter_qguard.scan.finding import Span
    from jupyter_qguard.scan.fragment import Fragment, Path, Unit
    from jupyter_qguard.scan.resolve import Located
    from jupyter_qguard.scan.settings import ScanSettings

_PLACES = {
    Kind.CODE: Place.SOURCE,
    Kind.MARKDOWN: Place.SOURCE,
    Kind.RAW: Place.SOURCE,
    Kind.STREAM: Place.OUTPUT,
    Kind.ERROR: Place.OUTPUT,
    Kind.DATA: Place.OUTPUT,
    Kind.JSON: Place.OUTPUT,
    Kind.ATTACHMENT: Place.SOURCE,
    Kind.METADATA: Place.METADATA,
    Kind.TEXT: Place.TEXT_FILE,
}
_LINE_END = re.compile("\n")
_UPSTREAM_SEVERITY = {
    Confidence.HIGH: Severity.CRITICAL,
    Confidence.MEDIUM: Severity.HIGH,
    Confidence.LOW: Severity.MEDIUM,
}


_Rank = tuple[int, int, int]
_T = TypeVar("_T")


class Units(Protocol):
    """Units by the number that fragments refer to."""

    def __getitem__(self, number: int, /) -> Unit:
        """The unit of that number."""


class Reporter:
    """Knows the document's units, so that a run of a fragment becomes a place that people find."""

    def __init__(self, units: Units, settings: ScanSettings, bits: int) -> None:
        """Keep what findings refer to: units by number; *bits* as in the scanner's fragment numbers."""
        self._units = units
        self._settings = settings
        self._bits = bits
        self._counted: Fragment | None = None
        self._line_ends: list[int] = []
        self._keys: dict[Path, str] = {}
        """Path of a key that holds a secret to its text after redaction."""

    def result(
        self, located: Sequence[Located], labelled: Sequence[Label], stated: Classification | None
    ) -> ScanResult:
        """Everything found, in document order, with suppressed findings apart."""
        self._note_keys(located)
        findings: list[tuple[_Rank, Finding]] = []
        suppressed: list[tuple[_Rank, Suppressed]] = []
        covered: defaultdict[int, list[Span]] = defaultdict(list)
        for item in located:
            candidate = item.candidate
            for number, spans in _by_fragment(item):
                covered[number] += spans
                unit, fragment = self._at(number)
                finding = self._finding(item, unit, fragment, spans)
                allowed = allowance(unit, fragment, spans, candidate.rule_id)
                if allowed is None:
                    findings.append((self._rank(number, spans[0][0]), finding))
                else:
                    told = Suppressed(finding, allowed.kind, allowed.reason)
                    suppressed.append((self._rank(number, spans[0][0]), told))
        acted, merely = self._labels(labelled, covered, suppressed)
        return ScanResult(_in_order(findings + acted), _in_order(suppressed), _in_order(merely), stated)

    def _rank(self, number: int, start: int) -> _Rank:
        """Where in the document something stands: cells by their index, then what is outside of them."""
        unit, _ = self._at(number)
        return sys.maxsize if unit.index is None else unit.index, number & ((1 << self._bits) - 1), start

    def _at(self, number: int) -> tuple[Unit, Fragment]:
        unit = self._units[number >> self._bits]
        return unit, unit.fragments[number & ((1 << self._bits) - 1)]

    def _line(self, fragment: Fragment, position: int) -> int:
        """The line of *position*. The line ends of the last fragment are kept: a long text may have thousands."""
        if self._counted is not fragment:
            self._counted = fragment
            self._line_ends = [match.start() for match in _LINE_END.finditer(fragment.text)]
        return bisect_left(self._line_ends, position) + 1

    def _finding(self, item: Located, unit: Unit, fragment: Fragment, spans: tuple[Span, ...]) -> Finding:
        candidate = item.candidate
        severity = candidate.rule.severity if candidate.rule else _UPSTREAM_SEVERITY[candidate.confidence]
        return self._make(
            candidate.rule_id,
            severity,
            candidate.confidence,
            Classification.RESTRICTED,
            candidate.rule.vendor if candidate.rule else None,
            candidate.value,
            candidate.message,
            unit,
            fragment,
            spans,
        )

    def _make(  # noqa: PLR0913, PLR0917 - the fields of a finding
        self,
        rule_id: str,
        severity: Severity,
        confidence: Confidence,
        classification: Classification,
        vendor: str | None,
        value: str,
        message: str,
        unit: Unit,
        fragment: Fragment,
        spans: tuple[Span, ...],
    ) -> Finding:
        return Finding(
            rule_id=rule_id,
            severity=severity,
            confidence=confidence,
            classification=classification,
            vendor=vendor,
            fingerprint=fingerprint(self._settings.fingerprint_key, rule_id, value),
            pointer=pointer((*unit.path, *self._masked(unit, fragment))),
            spans=spans,
            in_key=fragment.in_key,
            cell=None if unit.index is None else CellRef(unit.index, unit.id, unit.type),
            place=_PLACES[fragment.kind],
            preview=mask(value),
            line=self._line(fragment, spans[0][0]),
            message=message,
        )

    def _labels(
        self,
        labelled: Sequence[Label],
        covered: dict[int, list[Span]],
        suppressed: list[tuple[_Rank, Suppressed]],
    ) -> tuple[list[tuple[_Rank, Finding]], list[tuple[_Rank, Finding]]]:
        """Labels as findings: those that the policy names, which are acted on or *suppressed*, and the others."""
        acted: list[tuple[_Rank, Finding]] = []
        merely: list[tuple[_Rank, Finding]] = []
        for label in labelled:
            named = label.name in self._settings.classify
            for number, start, end in label.segment.origins(label.start, label.end):
                unit, fragment = self._at(number)
                spans = _without((start, end), covered[number]) if named else ((start, end),)
                if not spans:
                    continue
                severity = SEVERITY[label.classification] if named else Severity.INFO
                text = fragment.text[start:end]
                finding = self._make(
                    label.name,
                    severity,
                    Confidence.HIGH,
                    label.classification,
                    None,
                    text,
                    label.message,
                    unit,
                    fragment,
                    spans,
                )
                rank = self._rank(number, start)
                allowed = allowance(unit, fragment, spans, label.name) if named else None
                if allowed is not None:
                    suppressed.append((rank, Suppressed(finding, allowed.kind, allowed.reason)))
                    continue
                if named:
                    covered[number] += spans
                (acted if named else merely).append((rank, finding))
        return acted, merely

    def _note_keys(self, located: Sequence[Located]) -> None:
        """Give every key that holds a secret the text that it will have after redaction, unique in its object."""
        spans: defaultdict[int, list[tuple[Span, str, bool]]] = defaultdict(list)
        for item in located:
            for number, parts in _by_fragment(item):
                unit, fragment = self._at(number)
                if fragment.in_key and allowance(unit, fragment, parts, item.candidate.rule_id) is None:
                    spans[number] += [(part, item.candidate.rule_id, index == 0) for index, part in enumerate(parts)]
        taken: dict[Path, set[str]] = {}
        for number, marked in sorted(spans.items()):
            unit, fragment = self._at(number)
            place = (*unit.path, *fragment.path)
            names = taken.setdefault(place[:-1], self._sibling_keys(unit, fragment))
            name = base = redact_key(fragment.text, marked)
            count = 1
            while name in names:
                count += 1
                name = f"{base} ({count})"
            names.add(name)
            self._keys[place] = name

    @staticmethod
    def _sibling_keys(unit: Unit, fragment: Fragment) -> set[str]:
        """The texts of the keys beside a key. Those too short to be fragments cannot be equal to a mark."""
        parent = fragment.path[:-1]
        return {other.text for other in unit.fragments if other.in_key and other.path[:-1] == parent}

    def _masked(self, unit: Unit, fragment: Fragment) -> Path:
        """The fragment's path, with keys that hold secrets as they are after redaction."""
        if not self._keys:
            return fragment.path
        return tuple(
            self._keys.get((*unit.path, *fragment.path[: number + 1]), step)
            for number, step in enumerate(fragment.path)
        )


def redact_key(key: str, parts: Sequence[tuple[Span, str, bool]]) -> str:
    """A key with its secrets replaced by marks; *parts* are spans with their rule, and whether they are the first."""
    out, done = "", 0
    for (start, end), rule_id, first in sorted(parts):
        if end <= done:
            continue
        out += key[done : max(start, done)] + (f"[redacted:{rule_id}]" if first else "[redacted]")
        done = end
    return out + key[done:]


def _in_order(ranked: list[tuple[_Rank, _T]]) -> tuple[_T, ...]:
    return tuple(entry for _, entry in sorted(ranked, key=lambda pair: pair[0]))


def _by_fragment(item: Located) -> list[tuple[int, tuple[Span, ...]]]:
    grouped: defaultdict[int, list[Span]] = defaultdict(list)
    for fragment, start, end in item.runs:
        grouped[fragment].append((start, end))
    return [(fragment, tuple(spans)) for fragment, spans in grouped.items()]


def _without(span: Span, taken: Sequence[Span]) -> tuple[Span, ...]:
    """What of *span* no credential covers already."""
    parts = [span]
    for low, high in taken:
        parts = [part for a, b in parts for part in ((a, min(b, low)), (max(a, high), b)) if part[0] < part[1]]
    return tuple(parts)
