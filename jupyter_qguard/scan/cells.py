"""Scans notebooks cell by cell and remembers them, so that after an edit only what is new is worked out.

The result is that of :meth:`Scanner.scan_notebook`, whatever was remembered: `tests/property/test_cells.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.scan.cell import BUFFERS, ROUNDS, Cell
from jupyter_qguard.scan.flow import feeders
from jupyter_qguard.scan.fragment import cell_unit, notebook_units
from jupyter_qguard.scan.notebook import check_cell, check_notebook
from jupyter_qguard.scan.report import Reporter
from jupyter_qguard.scan.resolve import locate, repeated, resolve
from jupyter_qguard.scan.scanner import DEEPEST, UNIT_BITS, Scanner, stated
from jupyter_qguard.scan.views import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jupyter_qguard.scan.finding import Classification, ScanResult
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
        self._notebooks: dict[int, list[Cell]] = {}
        """The cells of each and, last, what is outside of them."""

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
        known = self._notebooks.pop(base) if base else []
        places = (_NEW,) * len(parts) if places is None else places
        if places.count(_NEW) != len(parts):
            raise GuardFailureError(_OUT_OF_STEP)
        rest = known[places[-1]] if places[-1] != _NEW else self._rest(parts[-1])
        if rest is None:  # nbformat 3: there are cells outside of the cells
            return self._scan_whole(parts, places)
        fresh = iter(parts)
        cells = [known[at] if at >= 0 else self._cell(next(fresh), number) for number, at in enumerate(places[:-1])]
        cells.append(rest)
        result = self._result(cells, rest.stated)
        if number:
            self._notebooks[number] = cells
        return result

    def _scan_whole(self, parts: Sequence[Part], places: Sequence[int]) -> ScanResult:
        if len(parts) != len(places):
            raise GuardFailureError(_OUT_OF_STEP)
        *cells, rest = map(self._decode, parts)
        return self._scanner.scan_notebook({**rest, "cells": cells})

    def _cell(self, part: Part, index: int) -> Cell:
        value = self._decode(part)
        check_cell(value, f"cells/{index}")
        return self._read(cell_unit(value, (), 0))

    def _rest(self, part: Part) -> Cell | None:
        """What is outside of cells; None if it is more than one unit."""
        value = self._decode(part)
        check_notebook({"cells": [], **value})
        *more, unit = notebook_units(value)
        if more or "worksheets" in value:
            return None
        rest = self._read(unit)
        rest.stated = stated(value)
        return rest

    def _read(self, unit: Unit) -> Cell:
        self._numbers += 1
        return Cell(self._scanner, unit, self._numbers)

    def _result(self, cells: list[Cell], own: Classification | None) -> ScanResult:
        _let_constants_flow(cells)
        found = _candidates(cells)
        kept = resolve(locate(found))
        if kept:
            values = repeated(kept)
            holders = [held for cell in cells if (held := cell.copies(values))]
            again = [copy for number in range(BUFFERS) for held in holders for copy in held.get(number, ())]
            kept = resolve(locate([*found, *again]))
        labelled = [label for cell in cells if cell.labels for label in cell.labels]
        return Reporter(_Placed(cells), self._scanner.settings, UNIT_BITS).result(kept, labelled, own)


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


def _let_constants_flow(cells: list[Cell]) -> None:
    """Fold each cell with the constants that the cells before it bound, where these can have changed.

    The state of all constants is told by a sum over them, so that where a name is bound as before, all is as before.
    """
    folded = _folded(cells)
    names: dict[str, Constant] = {}
    numbers: dict[str, int] = {}
    state = 0
    for cell in cells:
        if (cell.is_folded or cell.known is None) and cell.number not in folded:
            cell.look(names, fold=False)
            cell.known = state
    for cell in [cell for cell in cells if cell.number in folded] if folded else ():
        if not cell.is_folded or cell.known != state:
            cell.look(names, fold=True)
            cell.known = state
        for name, (number, value) in cell.bound.items():
            state ^= hash((name, numbers.get(name, 0))) ^ hash((name, number))
            numbers[name] = number
            bind(names, {name: value})


def _folded(cells: list[Cell]) -> set[int]:
    """The numbers of the cells that are folded."""
    sinks = {cell.number for cell in cells if cell.is_sink}
    if not sinks:
        return sinks
    sources = [(cell.number, source) for cell in cells for source in cell.code]
    return feeders(sources, sinks, chosen=any(cell.is_chosen for cell in cells))


def _candidates(cells: list[Cell]) -> list[Candidate]:
    """All candidates, in the order in which :class:`Scanner` finds them."""
    voiced = [cell for cell in cells if not cell.is_quiet]
    vendors = tuple(frozenset().union(*(cell.vendors[depth] for cell in voiced)) for depth in range(DEEPEST))
    for cell in voiced:
        cell.judge(vendors)
    holders = [cell.candidates for cell in cells if cell.candidates]
    return [candidate for number in range(ROUNDS) for held in holders for candidate in held.get(number, ())]
