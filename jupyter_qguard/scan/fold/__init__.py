"""Constant strings of code, as a reader or the interpreter would put them together.

A credential written as ``"abc" + "def"``, ``"".join(parts)`` or ``f"{first}{second}"`` is no run of characters in the
cell. :func:`fold_cell` gives a view of the cell in which it is one, in one literal, with the way back to the characters
it came from; and it follows names to where their values are used, also in later cells. Nothing is executed.
"""

from __future__ import annotations

from jupyter_qguard.scan.fold.cell import fold_cell
from jupyter_qguard.scan.fold.constant import Constant, Folded, Kind, Names
from jupyter_qguard.scan.fold.gate import needs_folding

__all__ = ["Constant", "Folded", "Kind", "Names", "fold_cell", "needs_folding"]
