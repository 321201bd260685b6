"""One cell as the scanner remembers it: everything that was worked out about it, and what that depends on.

Three things about a cell depend on others: which constants flow into it, which vendors the document speaks of, and
which values were found elsewhere. Each is kept with what it was worked out from, and worked out anew when that differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from jupyter_qguard.scan.buffer import Buffer, Together
from jupyter_qguard.scan.classify import labels
from jupyter_qguard.scan.judge import Candidate, Context, Judge
from jupyter_qguard.scan.resolve import copies
from jupyter_qguard.scan.scanner import DEEPEST, UNIT_BITS, Scanner, add_views, decoded_buffer, plain_buffer
from jupyter_qguard.scan.spot import Spots
from jupyter_qguard.scan.views import Viewed, code_of, unit_views

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.classify import Label
    from jupyter_qguard.scan.finding import Classification
    from jupyter_qguard.scan.fold import Constant
    from jupyter_qguard.scan.fragment import Unit

Vendors = tuple[frozenset[str], ...]
"""Vendors that the document speaks of, as far as it is decoded, by depth."""
_NO_VENDORS: Vendors = (frozenset(),) * DEEPEST
BUFFERS = 2 * DEEPEST
"""Of a cell: at each depth the text and its views."""
ROUNDS = 2 * BUFFERS
"""In which candidates are found: by our rules in each of the buffers, then by the maintained ones in each."""


_READ_AT_ONCE = 64
"""Cells."""
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A buffer of one cell and what was spotted in it."""

    buffer: Buffer
    spots: Spots
    maintained: tuple[Candidate, ...]
    is_quiet: bool
    """Whether our own rules have nothing here to hang a finding on."""


_EMPTY = _Reading(Buffer(), Spots(), (), is_quiet=True)


class Cell:
    """A cell, or what is outside of cells, with all that was found in it."""

    def __init__(self, scanner: Scanner, unit: Unit, number: int, plain: _Reading) -> None:
        """*number* is its own as long as it is remembered, *plain* the text of *unit*."""
        self._scanner = scanner
        self.unit = unit
        self.number = number
        self._plain, buffer = plain, plain.buffer
        context = Context()
        if not self._plain.is_quiet:
            Judge(scanner.rules, buffer, self._plain.spots, context)
        self._marked = bool(context.marked)
        self.is_sink = bool(context.sinks)
        self.is_chosen = context.chosen
        """Whether it names a password, which people choose."""
        self.code = code_of(unit)
        found = labels(buffer, self._plain.spots.labels, scanner.settings.classify, scanner.patterns)
        self.labels: tuple[Label, ...] = tuple(found)
        self._viewed = Viewed((), {}, {})
        self.stated: Classification | None = None
        """Of what is outside of cells: the class that the notebook states of itself."""
        self.bound: dict[str, tuple[int, Constant | None]] = {}
        """Constants that the cell binds for later ones, each with a number that no other has; 0 and None where a name
        is no longer constant."""
        self.known: int | None = None
        """The state of the document's constants before this cell for which the views are known to hold; None until
        they are made."""
        self.is_folded = False
        self._readings: dict[int, _Reading] = {}
        """Those that hold anything, by buffer."""
        self.vendors = _NO_VENDORS
        """Vendors that this cell speaks of, by depth."""
        self.is_quiet = True
        self._judged_for: Vendors | None = None
        self.candidates: dict[int, list[Candidate]] = {}
        """By round."""
        self._copies_of: Mapping[str, Candidate] | None = None
        self._copies: dict[int, list[Candidate]] = {}

    def effect(self, wanted: AbstractSet[str]) -> tuple[Hashable, ...] | None:
        """What this cell does to others, where constants of the names *wanted* matter: mostly nothing, which is an empty
        tuple. With another of the same effect in its place all else is as it is. None if that cannot be told."""
        speaks = not self.is_quiet or self.candidates or self.labels or self.is_sink or self.is_chosen or self.is_folded
        if speaks:
            return None
        binding = (source for source in self.code if not wanted.isdisjoint(source.bound))
        return tuple((wanted & source.bound, wanted & source.used[1], source.is_quoting) for source in binding)

    def _holds(self, names: Mapping[str, Constant]) -> bool:
        """Whether the views are what *names* would make them."""
        return all(names.get(name) is value for name, value in self._viewed.asked.items())

    def look(self, names: Mapping[str, Constant], *, fold: bool) -> None:
        """Make the views, and read them, unless that was done with the same constants."""
        if self.known is not None and self.is_folded is fold and self._holds(names):
            return
        self.is_folded = fold
        first = self.number << UNIT_BITS
        viewed = Viewed((), {}, {})
        if fold or self._marked:
            viewed = unit_views(self.unit, first, names, marked=self._marked, fold=fold)
        self._viewed = viewed
        self.bound = {name: self._numbered(name, value) for name, value in viewed.bound.items()}
        self._readings = dict(self._read_depths(viewed))
        self._judged_for = self._copies_of = None
        self.is_quiet = all(reading.is_quiet for reading in self._readings.values())
        self.candidates = {
            BUFFERS + number: list(reading.maintained)
            for number, reading in self._readings.items()
            if reading.maintained
        }
        self.vendors = _NO_VENDORS if self.is_quiet else tuple(self._speaks_of())

    def judge(self, vendors: Vendors) -> None:
        """Find candidates in a document that speaks of *vendors*."""
        if self.is_quiet or self._judged_for == vendors:
            return
        self._judged_for = vendors
        self.candidates = {number: found for number, found in self.candidates.items() if number >= BUFFERS}
        context = Context()
        for depth, spoken_of in enumerate(vendors):
            context.vendors |= spoken_of
            for number, judge in self._judges(depth, context):
                if found := list(judge.candidates()):
                    self.candidates[number] = found

    def copies(self, values: Mapping[str, Candidate]) -> dict[int, list[Candidate]]:
        """Where any of *values* stands, by buffer."""
        if self._copies_of != values:
            found = ((number, copies(reading.buffer, values)) for number, reading in self._readings.items())
            self._copies = {number: each for number, each in found if each}
            self._copies_of = values
        return self._copies

    def _read_depths(self, viewed: Viewed) -> Iterator[tuple[int, _Reading]]:
        """The text and its views, then what is encoded in each, and what is encoded in that."""
        text, views = self._plain, _EMPTY
        if viewed.views:
            of_views = Buffer()
            add_views(of_views, viewed, self.number)
            views = self._read(of_views)
        for depth in range(DEEPEST):
            if depth:
                text, views = self._decoded(text, depth), self._decoded(views, depth)
            if text is _EMPTY and views is _EMPTY:
                return
            yield from ((2 * depth, text), (2 * depth + 1, views)) if views is not _EMPTY else ((2 * depth, text),)

    def _decoded(self, reading: _Reading, depth: int) -> _Reading:
        found = decoded_buffer(reading.buffer, reading.spots, depth) if reading.spots.may_be_encoded else None
        return _EMPTY if found is None else self._read(found)

    def _numbered(self, name: str, value: Constant | None) -> tuple[int, Constant | None]:
        """A constant with its number; one that is as before is the same object: nothing changes for later cells."""
        before = self.bound.get(name)
        if before is not None and before[1] == value:
            return before
        return (0 if value is None else next(_NUMBERS)), value

    def _speaks_of(self) -> Iterator[frozenset[str]]:
        spoken: set[str] = set()
        for depth in range(DEEPEST):
            for _, reading in self._at(depth):
                at = reading.buffer.segment
                spoken.update(vendor for end, vendor in reading.spots.words if at(end - 1) is not None)
            yield frozenset(spoken)

    def _judges(self, depth: int, context: Context) -> list[tuple[int, Judge]]:
        """Of both buffers of a depth; depth by depth, since what is decoded is judged in the light of what was before."""
        rules = self._scanner.rules
        return [(number, Judge(rules, each.buffer, each.spots, context)) for number, each in self._at(depth)]

    def _at(self, depth: int) -> list[tuple[int, _Reading]]:
        numbers = (2 * depth, 2 * depth + 1)
        return [(number, self._readings[number]) for number in numbers if number in self._readings]

    def _read(self, buffer: Buffer) -> _Reading:
        return next(_read(self._scanner, [buffer])) if buffer.segments else _EMPTY


def read_cells(scanner: Scanner, units: Sequence[tuple[int, Unit]]) -> list[Cell]:
    """Read the text of units, each of which comes with its number."""
    buffers = [plain_buffer([unit], number) for number, unit in units]
    readings = _read(scanner, buffers)
    return [Cell(scanner, unit, number, next(readings)) for number, unit in units]


def _read(scanner: Scanner, buffers: Sequence[Buffer]) -> Iterator[_Reading]:
    for at in range(0, len(buffers), _READ_AT_ONCE):
        group = buffers[at : at + _READ_AT_ONCE]
        together = Together([buffer.close() for buffer in group])
        maintained = scanner.may_be_maintained(together)
        for number, spots in enumerate(scanner.spotter.spot_each(together)):
            buffer = group[number]
            found = scanner.maintained(buffer, together.texts[number]) if number in maintained else ()
            yield _Reading(buffer, spots, tuple(found), is_quiet=_is_quiet(scanner, buffer, spots))


def _is_quiet(scanner: Scanner, buffer: Buffer, spots: Spots) -> bool:
    if spots.names or spots.words or spots.calls or spots.shapes or spots.urls or spots.marks:
        return False
    return not any(segment.label and scanner.tells(segment.label) for segment in buffer.segments)
