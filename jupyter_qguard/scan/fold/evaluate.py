"""Reads values off expressions. Nothing is executed: only what :mod:`.calls` and :mod:`.methods` name is followed."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.compound import COMPOUND_EXPRESSIONS
from jupyter_qguard.scan.fold.containers import written_key
from jupyter_qguard.scan.fold.expressions import SIMPLE_EXPRESSIONS
from jupyter_qguard.scan.fold.positions import Positions

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.constant import Constant
    from jupyter_qguard.scan.fold.scope import Scope

_IDENTIFIER = re.compile(r"\s*([^\W\d]\w*)\s*")
_HANDLERS = {**SIMPLE_EXPRESSIONS, **COMPOUND_EXPRESSIONS}
_PARSED_FIELD = 10_000
"""Characters of one replacement field's expression that are parsed."""


class Exhausted(Exception):  # noqa: N818 - it ends the folding of a cell, it is no error
    """The cell asks for more work than any real one."""


class Budget:
    """Work that one cell may cause, in pieces and hundreds of characters handled."""

    def __init__(self, units: int) -> None:
        """Start with *units*."""
        self._left = units

    def spend(self, value: Constant | None) -> None:
        """Count one step that gave *value*; raises :class:`Exhausted` at the end."""
        self._left -= 1
        if value is not None:
            self._left -= len(value.view.pieces) + len(value.items) + len(value.view.text) // 100
        if self._left < 0:
            raise Exhausted


class Evaluator:
    """The constant value of expressions of one parsed text. Every node is looked at once."""

    def __init__(self, source: str, fragment: int, positions: Positions, scope: Scope, budget: Budget) -> None:
        """*source* is the whole cell; *scope* may be exchanged between statements."""
        self.source = source
        self.fragment = fragment
        self.positions = positions
        self.scope = scope
        self.budget = budget
        self._memo: dict[ast.expr, Constant | None] = {}
        self._parsed: dict[tuple[int, int], tuple[Evaluator, ast.expr] | None] = {}

    def within(self, positions: Positions, scope: Scope) -> Evaluator:
        """An evaluator for another text or scope of the same cell."""
        return Evaluator(self.source, self.fragment, positions, scope, self.budget)

    def evaluate(self, node: ast.expr | None) -> Constant | None:
        """The constant that *node* always (or, of alternatives, possibly) gives; None if there is none."""
        if node is None:
            return None
        handler = _HANDLERS.get(type(node))
        if handler is None:
            return None
        if node in self._memo:
            return self._memo[node]
        value = self._memo[node] = handler(self, node)
        self.budget.spend(value)
        return value

    def path(self, node: ast.expr) -> str | None:
        """The full name of what *node* refers to: ``config.token``, ``os.environ['X']``, ``get()``."""
        if isinstance(node, ast.Name):
            return "os.environ" if node.id == "environ" else node.id
        if isinstance(node, ast.Attribute):
            owner = self.path(node.value)
            return f"{owner}.{node.attr}" if owner else None
        if isinstance(node, ast.Subscript):
            owner = self.path(node.value)
            key = written_key(self.evaluate(node.slice)) if owner else None
            return f"{owner}[{key}]" if key else None
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            owner = self.path(node.func)
            return f"{owner}()" if owner else None
        return None

    def expression(self, start: int, end: int) -> tuple[Evaluator, ast.expr] | None:
        """Parse ``source[start:end]``, an expression within a literal or magic; None if it is none."""
        if (start, end) not in self._parsed:
            self._parsed[start, end] = self._parse(start, end)
        return self._parsed[start, end]

    def field(self, start: int, end: int) -> Constant | None:
        """The value of the expression ``source[start:end]``."""
        name = _IDENTIFIER.fullmatch(self.source, start, end)
        if name:
            return self.scope.lookup(name.group(1))
        parsed = self.expression(start, end)
        return parsed[0].evaluate(parsed[1]) if parsed else None

    def forget(self) -> None:
        """Look at every node anew: the names in it may have other values now."""
        self._memo.clear()
        self._parsed.clear()

    def _parse(self, start: int, end: int) -> tuple[Evaluator, ast.expr] | None:
        if end - start > _PARSED_FIELD:
            return None
        text = f"({self.source[start:end]})"
        try:
            node = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, MemoryError):
            return None
        return self.within(Positions(text, start - 1), self.scope), node
