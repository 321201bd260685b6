"""One look at the raw bytes of a notebook, which tells the cells that are worth reading from all the others.

In most cells of real notebooks stands nothing that a secret could hang on, and taking a cell apart costs ten times as
much as looking at its bytes. The look may say yes in vain. It must never say no to a cell in which the scanner would
find something: where it cannot be sure it answers None, and all is read. The tests hold it to that.
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from jupyter_qguard.scan.binding import is_working_folder, name_span
from jupyter_qguard.scan.call import called_name
from jupyter_qguard.scan.classify import LEAST
from jupyter_qguard.scan.glance import Glance
from jupyter_qguard.scan.matcher import Expression, Matcher, version_of
from jupyter_qguard.scan.names import Role, role
from jupyter_qguard.scan.payload import decode_base64, is_text
from jupyter_qguard.scan.raw import RawParts, without_images
from jupyter_qguard.scan.ruleset import ARGUMENTS
from jupyter_qguard.scan.sought import sought
from jupyter_qguard.scan.spot import Spot
from jupyter_qguard.scan.strength import is_material

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_qguard.scan.ruleset import RuleSet
    from jupyter_qguard.scan.upstream import Upstream

SMALLEST = 4096
"""Bytes below which a notebook is read at once."""
_BEFORE, _AFTER = 160, 128
"""Code points around a hit that are looked at to tell what it is."""
_LONG_RUN = Expression(r"[A-Za-z0-9_+/\-]{24}={0,2}[^A-Za-z0-9_+/\-=]")
"""No shape that only its vendor's company makes a credential is shorter: a test says so."""
_LAST_WORD = re.compile(r"\w+|\W+")
_LONGEST_WORD = 40
_TABLE = re.compile(r"[|\t│┃]|  |</?t[dhr]\b|\\t|,")
"""After a name: it may be the heading of a column."""
_ORDINARY = frozenset("_-.")
"""What beginnings end with that ordinary words have too: ``hf_``, ``sk-``."""
_ORDINARY_WORD = re.compile(r"[a-z]{2,12}(?:[_\-][a-z]{2,12}){0,4} {0,2}[=,.:()\]]")
"""What follows one of those where it begins such a word, and no piece of a literal."""
_NEAR = 640
"""Code points of raw JSON, a value and its length included; of text the scanner looks 160 far."""
_CHANGE = r"(?:[a-z][_+/\-]?[A-Z0-9]|[A-Z][_+/\-]?[0-9]|[0-9][_+/\-]?[A-Za-z])"
_MATERIAL = Expression(rf"{_CHANGE}[A-Za-z0-9_+/\-]*{_CHANGE}[A-Za-z0-9_+/\-]*={{0,2}}[^A-Za-z0-9_+/\-=]")
_SHORTEST_PIECE = 8
_BASE64_LENGTH = 20
_BASE64_HEAD = re.compile(r"[A-Za-z0-9+/_\-]{20,64}")
_TOKENIZER = re.compile(r"iz[a-z]{1,6}[^A-Za-z0-9_\-]")
"""What follows *token* where nothing of the kind is meant."""
_OBJECT = ord("{")


class _Notebook(msgspec.Struct, forbid_unknown_fields=True):
    """The keys that nbformat 4 has, decoded in one pass."""

    cells: list[msgspec.Raw]
    metadata: msgspec.Raw
    nbformat: msgspec.Raw
    nbformat_minor: msgspec.Raw


_NOTEBOOK = msgspec.json.Decoder(_Notebook)
_OUTER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CELLS = msgspec.json.Decoder(list[msgspec.Raw])


class Worth(enum.Enum):
    """What a hit makes a cell worth."""

    NOTHING = 0
    FED = 1
    """Code that may be given a credential by other cells."""
    CHOSEN = 2
    """All of it; and a password is named, which people choose, so that it need not look random."""
    ALL = 3


@dataclass(frozen=True, slots=True)
class Matchers:
    """What is compiled for a look."""

    marks: tuple[tuple[list[tuple[Spot, object]], Matcher], ...]
    """Each with what its hits mean. Several small ones are faster than one: each finds its own way through the text."""
    runs: Matcher
    material: Matcher
    upstream: Upstream


class Glancer:
    """The compiled look. One per thread."""

    def __init__(self, rules: RuleSet, matchers: Matchers) -> None:
        """Use :meth:`load`."""
        self._rules = rules
        self._matchers = matchers

    @classmethod
    def load(cls, rules: RuleSet, upstream: Upstream, folder: Path | None) -> Glancer:
        """Load the compiled expressions from *folder*, or compile them and keep them there."""
        marks = tuple(
            ([(pattern.spot, pattern.payload) for pattern in group], _load([each.expression for each in group], folder))
            for group in sought(rules)
        )
        return cls(rules, Matchers(marks, _load([_LONG_RUN], folder), _load([_MATERIAL], folder), upstream))

    def look(self, data: bytes) -> Glance | None:
        """What of the notebook *data* is worth reading; None for all of it, or for no notebook of nbformat 4."""
        try:
            cells, outside = _split(without_images(data))
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError, RecursionError):
            return None
        if any(memoryview(cell)[0] != _OBJECT for cell in cells):
            return None
        rest = b"\n".join(part for key, value in outside.items() for part in (msgspec.json.encode(key), value))
        parts = RawParts([*cells, rest])
        if not parts.is_utf8():
            return None
        look = _Look(self._rules, parts, self._matchers.material)
        worth = {parts.part(end - 1) for end in self._matchers.upstream.places(parts.data)}
        words: defaultdict[int, set[str]] = defaultdict(set)
        for meaning, mark in self._matchers.marks:
            for number, _, end in mark.find(parts.data):
                spot, payload = meaning[number]
                if spot is Spot.DOUBT:
                    return None
                cell = parts.part(end - 1)
                if spot is Spot.WORD:
                    words[cell].add(str(payload))
                elif cell not in worth and look.is_worth(spot, payload, cell, end):
                    worth.add(cell)
        worth |= {cell for cell, vendors in words.items() if cell not in worth and self._fits(parts, cell, vendors)}
        vendors = frozenset().union(*words.values())
        fed = look.fed - worth if look.is_fed() else frozenset()
        only_labels = not worth and not fed
        return Glance(
            tuple(cells), frozenset(worth | look.labelled), frozenset(fed), vendors, outside, look.chosen, only_labels
        )

    def _fits(self, parts: RawParts, cell: int, vendors: set[str]) -> bool:
        """Whether a cell that names vendors has a value of the shape of their credentials."""
        shapes = [rule for vendor in vendors for rule in self._rules.ambiguous.get(vendor, ())]
        if not shapes:
            return False
        start, end = parts.bounds(cell)
        runs = (parts.run_before(start + hit[2] - 1) for hit in self._matchers.runs.find(parts.data[start:end]))
        return any(rule.fits(run) for run in runs for rule in shapes)


class _Look:
    """What the look at one notebook has seen so far."""

    def __init__(self, rules: RuleSet, parts: RawParts, material: Matcher) -> None:
        self._rules = rules
        self._parts = parts
        self._matcher = material
        self._kindred: defaultdict[tuple[int, object], set[str]] = defaultdict(set)
        self.fed: set[int] = set()
        """Code cells that may be given a credential by others."""
        self.labelled: set[int] = set()
        """Cells with data that is no credential."""
        self.chosen = False
        self._known: dict[int, tuple[int, ...]] = {}

    def _material(self, cell: int) -> tuple[int, ...]:
        """Where in a cell runs end that look drawn at random. Few cells are asked for it."""
        known = self._known.get(cell)
        if known is None:
            start, end = self._parts.bounds(cell)
            ends = (start + after - 1 for _, _, after in self._matcher.find(self._parts.data[start:end]))
            known = self._known[cell] = tuple(filter(self._is_material, ends))
        return known

    def _is_material(self, end: int) -> bool:
        """Whether the run that ends at *end* looks drawn at random, be it only a piece of a credential."""
        run = self._parts.run_before(end)
        return len(run) >= _SHORTEST_PIECE and is_material(run) and not self._parts.is_number_of_a_cell(end, run)

    def is_fed(self) -> bool:
        """Whether there is anything that code could be given."""
        if not self.fed or self.chosen:
            return bool(self.fed)
        return any(map(self._is_feeding, range(self._parts.number)))

    def _is_feeding(self, cell: int) -> bool:
        """Whether it is a code cell whose source could bind a piece of a credential."""
        if not self._parts.is_code(cell):
            return False
        source = self._parts.source(cell)
        return any(place >= source for place in self._material(cell))

    def is_worth(self, spot: Spot, payload: object, cell: int, end: int) -> bool:
        """Whether a hit makes its cell worth reading; if it is code that others may feed, that is noted."""
        if spot is Spot.LABEL:
            seen = self._kindred[cell, payload]
            seen.add(_LAST_WORD.findall(self._parts.window(end - _LONGEST_WORD, end))[-1])
            if len(seen) >= LEAST.get(str(payload), 1):
                self.labelled.add(cell)
            return False
        worth = self._judge(spot, cell, end)
        self.chosen = self.chosen or worth is Worth.CHOSEN
        if worth is Worth.FED:
            self.fed.add(cell)
        return worth in (Worth.CHOSEN, Worth.ALL)

    def _judge(self, spot: Spot, cell: int, end: int) -> Worth:
        if spot is Spot.NAME:
            return self._judge_name(cell, end)
        if spot is Spot.CALL:
            text = self._parts.window(end - _BEFORE, end + ARGUMENTS)
            dotted = called_name(text, 0, min(end, _BEFORE) - 1)
            called = [
                name for name in (dotted, dotted[1:]) if self._rules.takes_credential(text, name, min(end, _BEFORE))
            ]
            if any(site.rule.password for name in called for site in self._rules.sites(name or "auth")):
                return Worth.CHOSEN
            return self._may_hold(cell) if called else Worth.NOTHING
        if spot is Spot.RUN:
            run = _BASE64_HEAD.match(self._parts.window(end - _BASE64_LENGTH, end + 64))
            head = decode_base64(run.group()[: len(run.group()) // 4 * 4]) if run else None
            return Worth.ALL if head is not None and is_text(head[: len(head) - 3]) else Worth.NOTHING
        if spot is Spot.MARK and self._parts.window(end - 1, end) in _ORDINARY:
            ordinary = _ORDINARY_WORD.match(self._parts.window(end, end + _LONGEST_WORD))
            return Worth.NOTHING if ordinary else self._may_hold(cell)
        return Worth.ALL

    def _judge_name(self, cell: int, end: int) -> Worth:
        near = self._parts.window(end - 16, end + 12)
        if "\\_" not in near and _TOKENIZER.match(near, min(end, 16)):
            return Worth.NOTHING
        text = self._parts.window(end - _BEFORE, end + _AFTER)
        before = text[: min(end, _BEFORE)]
        start, stop = name_span(text, 0, len(text), len(before.removesuffix('"').removesuffix("\\")))
        meaning = self._rules.meaning(text[start:stop])
        if meaning is Role.NONE:  # the first half of a name may be behind a backslash: LaTeX's api\\_key
            return self._may_hold(cell) if text[max(start - 1, 0) : start + 1] == "\\_" else Worth.NOTHING
        if is_working_folder(text, 0, start):
            return Worth.NOTHING
        if role(text[start:stop]) is Role.PASSWORD:
            return Worth.CHOSEN
        if self._parts.is_code(cell) or _TABLE.search(text[stop:]):
            return self._may_hold(cell)
        return Worth.ALL if any(abs(place - end) < _NEAR for place in self._material(cell)) else Worth.NOTHING

    def _may_hold(self, cell: int) -> Worth:
        """What a cell that speaks of a credential is worth by what else is in it."""
        if self._material(cell):
            return Worth.ALL
        return Worth.FED if self._parts.is_code(cell) else Worth.NOTHING


def _split(data: bytes) -> tuple[list[msgspec.Raw], dict[str, msgspec.Raw]]:
    """The cells of the notebook *data*, and everything else by its key."""
    try:
        notebook = _NOTEBOOK.decode(data)
    except msgspec.ValidationError:  # other keys, or one that is missing
        outside = _OUTER.decode(data)
        return _CELLS.decode(outside.pop("cells")), outside
    return notebook.cells, {key: getattr(notebook, key) for key in ("metadata", "nbformat", "nbformat_minor")}


def _load(expressions: list[Expression], folder: Path | None) -> Matcher:
    return Matcher.load(version_of(expressions), lambda: expressions, folder)
