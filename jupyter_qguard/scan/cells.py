"""Scans notebooks cell by cell and remembers them, so that after an edit only what is new is worked out.

The result is that of :meth:`Scanner.scan_notebook`, whatever was remembered: `tests/property/test_cells.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.scan.cell import BUFFERS, ROUNDS, Cell, read_cells
from jupyter_qguard.scan.flow import fed
from jupyter_qguard.scan.fragment import cell_unit, outer_unit
from jupyter_qguard.scan.notebook import check_cell, check_notebook
from jupyter_qguard.scan.report import Reporter
from jupyter_qguard.scan.resolve import locate, repeated, resolve
from jupyter_qguard.scan.scanner import DEEPEST, UNIT_BITS, Scanner, stated
from jupyter_qguard.scan.views import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.classify import Label
    from jupyter_qguard.scan.finding import ScanResult
    from jupyter_qguard.scan.fold import Constant
    from jupyter_qguard.scan.fragment import Unit
    from jupyter_qguard.scan.judge import Candidate

Part = bytes | bytearray | memoryview
_NEW = -1
_OUT_OF_STEP = "a notebook did not come with all that is new in it"


class CellScanner:
    """A scanner with a memory for notebooks. Not safe for two threads at once."""

    def __init__(self, scanner: Scanner, decode: Callable[[Part], Any]) -> None:
        """*decode* makes a JSON value out of an encoded part."""
        self._scanner = scanner
        self._decode = decode
        self._numbers = 0
        self._notebooks: dict[int, _Notebook] = {}
        self._left: _Notebook | None = None

    def let_go(self) -> None:
        """Free the memory of what the last scan has left, which takes longer than the scan of a cell."""
        self._left = None

    def forget(self, numbers: Iterable[int]) -> None:
        """Remember these notebooks no longer."""
        for number in numbers:
            self._notebooks.pop(number, None)

    def scan(
        self, parts: Sequence[Part], places: Sequence[int] | None = None, base: int = 0, number: int = 0
    ) -> ScanResult:
        """Scan a notebook that consists of its cells and, last, an object of all that is outside of them.

        *places* tells of each of these where it stood in the notebook that is remembered as *base*; -1 if it is new:
        then it is the next one of *parts*. *base* is forgotten, whatever happens: a cell that was left half worked out
        must not pass for a whole one. The notebook is remembered as *number*, unless that is 0.

        Raises
        ------
        InputError
            It is no notebook, or nested too deeply.
        """
        known = self._left = self._notebooks.pop(base) if base else _Notebook([])
        places = (_NEW,) * len(parts) if places is None else places
        if places.count(_NEW) != len(parts):
            raise GuardFailureError(_OUT_OF_STEP)
        outside = self._outside(parts[-1]) if places[-1] == _NEW else None
        if outside is not None and "worksheets" in outside:
            return self._scan_whole(parts, places)
        fresh = self._fresh([place for place, before in enumerate(places) if before == _NEW], parts, outside)
        notebook = _Notebook(
            [known.cells[before] if before >= 0 else fresh[place] for place, before in enumerate(places)]
        )
        notebook.look_after(known, places, fresh)
        if number:
            self._notebooks[number] = notebook
        return notebook.result(self._scanner)

    def _scan_whole(self, parts: Sequence[Part], places: Sequence[int]) -> ScanResult:
        """Scan a notebook of nbformat 3: there are cells outside of the cells."""
        if len(parts) != len(places):
            raise GuardFailureError(_OUT_OF_STEP)
        *cells, rest = map(self._decode, parts)
        return self._scanner.scan_notebook({**rest, "cells": cells})

    def _outside(self, part: Part) -> Mapping[str, Any]:
        """What is outside of cells."""
        value: Mapping[str, Any] = self._decode(part)
        check_notebook({"cells": [], **value})
        return value

    def _fresh(self, places: list[int], parts: Sequence[Part], outside: Mapping[str, Any] | None) -> dict[int, Cell]:
        """New cells by their places."""
        of_cells = places if outside is None else places[:-1]
        units = [self._unit(place, part) for place, part in zip(of_cells, parts, strict=False)]
        if outside is not None:
            units.append(outer_unit(outside))
        first = self._numbers + 1
        self._numbers += len(units)
        fresh = dict(zip(places, read_cells(self._scanner, list(enumerate(units, first))), strict=True))
        if outside is not None:
            fresh[places[-1]].stated = stated(outside)
        return fresh

    def _unit(self, place: int, part: Part) -> Unit:
        value = self._decode(part)
        check_cell(value, f"cells/{place}")
        return cell_unit(value, (), 0)


class _Notebook:
    """The cells of a notebook and, last, what is outside of them; and what was worked out about them together."""

    def __init__(self, cells: list[Cell]) -> None:
        self.cells = cells
        self._found: list[Candidate] = []
        self._labels: list[Label] = []
        self._wanted: AbstractSet[str] = frozenset()
        """The names that a constant would have to be bound to, to make a difference anywhere."""

    def look_after(self, before: _Notebook, places: Sequence[int], fresh: Mapping[int, Cell]) -> None:
        """Work out what cells have to do with each other, where that is not as it was *before*."""
        for cell in fresh.values():
            cell.look({}, fold=False)
            cell.known = 0
        if self._is_as(before, places, fresh):
            self._found, self._labels, self._wanted = before._found, before._labels, before._wanted
            return
        self._wanted = _let_constants_flow(self.cells)
        self._found = _candidates(self.cells)
        self._labels = [label for cell in self.cells if cell.labels for label in cell.labels]

    def _is_as(self, before: _Notebook, places: Sequence[int], fresh: Mapping[int, Cell]) -> bool:
        """Whether all other cells are as they were *before*, since those that are new or gone have no other effect."""
        kept = [place for place in places if place != _NEW]
        gone = {*range(len(before.cells))}.difference(kept)
        effects = [
            {place: cell.effect(before._wanted) for place, cell in cells}
            for cells in (((place, before.cells[place]) for place in gone), fresh.items())
        ]
        all_effects = [effect for each in effects for effect in each.values()]
        if not kept or kept != sorted(kept) or None in all_effects:
            return False
        return not any(all_effects) or effects[0] == effects[1]

    def result(self, scanner: Scanner) -> ScanResult:
        """What was found."""
        kept = resolve(locate(self._found))
        if kept:
            values = repeated(kept)
            holders = [held for cell in self.cells if (held := cell.copies(values))]
            again = [copy for number in range(BUFFERS) for held in holders for copy in held.get(number, ())]
            kept = resolve(locate([*self._found, *again]))
        return Reporter(_Placed(self.cells), scanner.settings, UNIT_BITS).result(
            kept, self._labels, self.cells[-1].stated
        )


class _Placed:
    """Units by their number, with their place in the document."""

    def __init__(self, cells: list[Cell]) -> None:
        self._cells = cells
        self._places: dict[int, int] = {}

    def __getitem__(self, number: int) -> Unit:
        if not self._places:
            self._places = {cell.number: place for place, cell in enumerate(self._cells)}
        place = self._places[number]
        unit = self._cells[place].unit
        if unit.index is None:
            return unit
        return msgspec.structs.replace(unit, path=("cells", place), index=place)


def _let_constants_flow(cells: list[Cell]) -> AbstractSet[str]:
    """Fold each cell with the constants that the cells before it bound, where these can have changed.

    The state of all constants is told by a sum over them, so that where a name is bound as before, all is as before.
    Returns the names that were asked for.
    """
    folded, wanted = _folded(cells)
    for cell in cells:
        if cell.is_folded and cell.number not in folded:
            cell.look({}, fold=False)
    names: dict[str, Constant] = {}
    numbers: dict[str, int] = {}
    state = 0
    for cell in [cell for cell in cells if cell.number in folded] if folded else ():
        if not cell.is_folded or cell.known != state:
            cell.look(names, fold=True)
            cell.known = state
        for name, (number, value) in cell.bound.items():
            state ^= hash((name, numbers.get(name, 0))) ^ hash((name, number))
            numbers[name] = number
            bind(names, {name: value})
    return wanted


def _folded(cells: list[Cell]) -> tuple[set[int], set[str]]:
    """The numbers of the cells that are folded, and the names that could make it others."""
    sinks = {cell.number for cell in cells if cell.is_sink}
    if not sinks:
        return sinks, set()
    sources = [(cell.number, source) for cell in cells for source in cell.code]
    return fed(sources, sinks, chosen=any(cell.is_chosen for cell in cells))


def _candidates(cells: list[Cell]) -> list[Candidate]:
    """All candidates, in the order in which :class:`Scanner` finds them."""
    voiced = [cell for cell in cells if not cell.is_quiet]
    vendors = tuple(frozenset().union(*(cell.vendors[depth] for cell in voiced)) for depth in range(DEEPEST))
    for cell in voiced:
        cell.judge(vendors)
    holders = [cell.candidates for cell in cells if cell.candidates]
    return [candidate for number in range(ROUNDS) for held in holders for candidate in held.get(number, ())]
