"""What notebooks a worker process remembers, so that it is sent only what is new in them.

The server decides what is remembered, and knows at each time what is: a notebook that the worker did not answer for, be
it refused, is forgotten on both sides.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from jupyter_qguard.server import wire

if TYPE_CHECKING:
    from jupyter_qguard.server.prepared import Prepared

NEW = -1
_OLD = b"worksheets"
"""Stands in what is outside of the cells of a notebook of nbformat 3, which is scanned as a whole."""


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    document: Prepared


class KnownNotebooks:
    """Of one worker process, by their paths. For one thread, but for :meth:`parts`."""

    def __init__(self, memory: int) -> None:
        """Keep notebooks of *memory* bytes in all, and each of them in the worker too."""
        self._memory = memory
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._numbers = count(1)

    def parts(self, path: str) -> tuple[bytes, ...]:
        """The parts of the notebook that was saved last at *path*, empty if it is not known."""
        known = self._known.get(path)
        return known.document.parts if known is not None else ()

    def question(self, document: Prepared, path: str) -> tuple[wire.ScanCells, list[bytes]]:
        """What to ask the worker, and the parts to send it. Only parts that are the same objects count as known."""
        base = self._known.pop(path, None)
        places: dict[int, int] = {}
        kept = document.size <= self._memory and _OLD not in document.parts[-1]
        if base is not None and kept:
            places = {id(part): place for place, part in enumerate(base.document.parts)}
        # Each at most once: of two equal cells each is scanned, since what flows into them differs.
        told = tuple([places.pop(id(part), NEW) for part in document.parts])
        new = [part for part, place in zip(document.parts, told, strict=True) if place == NEW]
        number = next(self._numbers) if kept else 0
        forgotten = tuple(self._make_room(document.size)) if kept else ()
        request = wire.ScanCells(told, tuple(map(len, new)), number, base.number if base else 0, forgotten)
        return request, new

    def keep(self, number: int, document: Prepared, path: str) -> None:
        """The worker remembers the notebook."""
        self._known[path] = _Known(number, document)

    def _make_room(self, size: int) -> list[int]:
        """Forget the notebooks that were saved longest ago. Returns their numbers."""
        forgotten = []
        used = size + sum(known.document.size for known in self._known.values())
        while used > self._memory:
            _, known = self._known.popitem(last=False)
            used -= known.document.size
            forgotten.append(known.number)
        return forgotten
