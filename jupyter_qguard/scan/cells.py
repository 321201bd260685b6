"""Scans notebooks cell by cell and remembers the cells, so that after an edit only what is new is worked out.

The result is that of :meth:`Scanner.scan_notebook`, whatever was remembered: `tests/property/test_cells.py`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.scan.cell import BUFFERS, ROUNDS, Cell
from jupyter_qguard.scan.flow import feeders
from jupyter_qguard.scan.fragment import cell_unit, notebook_units
from jupyter_qguard.scan.notebook import check_cell, check_notebook
from jupyter_qguard.scan.report import Reporter
from jupyter_qguard.scan.resolve import locate, repeated, resolve
from jupyter_qguard.scan.scanner import DEEPEST, UNIT_BITS, Scanner, stated
from jupyter_qguard.scan.views import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_qguard.scan.finding import Classification, ScanResult
    from jupyter_qguard.scan.fold import Constant
    from jupyter_qguard.scan.fragment import Unit
    from jupyter_qguard.scan.judge import Candidate

_REST = b"rest"
"""Before the keys of what is outside of cells, which is read in another way."""
Part = bytes | bytearray | memoryview


class CellScanner:
    """A scanner with a memory for cells. Not safe for two threads at once."""

    def __init__(self, scanner: Scanner, memory: int, decode: Callable[[Part], Any]) -> None:
        """Remember cells of *memory* encoded bytes; *decode* makes a JSON value out of an encoded part."""
        self._scanner = scanner
        self._memory = memory
        self._decode = decode
        self._seed = hashlib.sha256(secrets.token_bytes(64))
        """Begins with a secret, so that nobody can prepare anything. Processors have an instruction for this one."""
        self._used = 0
        self._numbers = 0
        self._cells: OrderedDict[bytes, Cell] = OrderedDict()

    def scan(self, parts: Sequence[Part]) -> ScanResult:
        """Scan a notebook that comes as its cells and, last, an object of all that is outside of them.

        Raises
        ------
        InputError
            It is no notebook, or nested too deeply.
        """
        try:
            return self._scan(parts)
        except BaseException:
            # A cell that was left half worked out would pass for a whole one when the save is tried again.
            self._cells.clear()
            self._used = 0
            raise

    def _scan(self, parts: Sequence[Part]) -> ScanResult:
        *keys, last = self.digests(parts)
        rest = self._cells.get(_REST + last) or self._rest(_REST + last, parts[-1])
        if rest is None:  # nbformat 3: there are cells outside of the cells
            return self._scanner.scan_notebook({**self._decode(parts[-1]), "cells": [*map(self._decode, parts[:-1])]})
        known, touch = self._cells.get, self._cells.move_to_end
        cells: list[Cell] = []
        for index, key in enumerate(keys):
            cell = known(key)
            if cell is None:
                cell = self._cell(key, parts[index], index)
            else:
                touch(key)
            cells.append(cell)
        cells.append(rest)
        result = self._result(cells, rest.stated)
        while self._used > self._memory and self._cells:
            self._used -= self._cells.popitem(last=False)[1].size
        return result

    def digests(self, parts: Sequence[Part]) -> list[bytes]:
        """A key for each part; of equal parts, each has another, since what flows into them differs."""
        keys: list[bytes] = []
        seen: dict[bytes, int] = {}
        for part in parts:
            digest = self._seed.copy()
            digest.update(part)
            key = digest.digest()
            if key in seen:
                seen[key] += 1
                key += seen[key].to_bytes(4, "big")
            else:
                seen[key] = 0
            keys.append(key)
        return keys

    def _cell(self, key: bytes, part: Part, index: int) -> Cell:
        value = self._decode(part)
        check_cell(value, f"cells/{index}")
        return self._remember(key, cell_unit(value, (), 0), len(part))

    def _rest(self, key: bytes, part: Part) -> Cell | None:
        """What is outside of cells; None if it is more than one unit."""
        value = self._decode(part)
        check_notebook({"cells": [], **value})
        *more, unit = notebook_units(value)
        if more or "worksheets" in value:
            return None
        rest = self._remember(key, unit, len(part))
        rest.stated = stated(value)
        return rest

    def _remember(self, key: bytes, unit: Unit, size: int) -> Cell:
        self._numbers += 1
        cell = self._cells[key] = Cell(self._scanner, unit, self._numbers, size)
        self._used += size
        return cell

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
        fold = cell.number in folded
        if cell.is_folded is not fold or (cell.known != state if fold else cell.known is None):
            cell.look(names, fold=fold)
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
