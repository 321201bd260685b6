"""Puts constants in the place of the expressions that give them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.alone import replace_literal
from jupyter_qguard.scan.fold.edits import Edits, quoted, widened
from jupyter_qguard.scan.fold.encodings import readable
from jupyter_qguard.scan.fold.visitors import VISITORS
from jupyter_qguard.scan.view import ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.scan.fold.constant import Constant
    from jupyter_qguard.scan.fold.evaluate import Evaluator
    from jupyter_qguard.scan.view import View

_CARRIED = 8 * 1024
"""Characters that a name may bring to where it is used. A service account file has 2 400."""
REFERENCES = (ast.Name, ast.Attribute, ast.Subscript)
_ALWAYS = (ast.BinOp, ast.JoinedStr, ast.Call)
"""Folded wherever they stand; other expressions only where their value flows somewhere."""
_FLOWING = (*REFERENCES, ast.IfExp, ast.BoolOp, ast.NamedExpr)


class Rewriter:
    """Collects the replacements for the expressions of one parsed text."""

    def __init__(self, evaluator: Evaluator, edits: Edits) -> None:
        """Read with *evaluator*, write to *edits*."""
        self.evaluator = evaluator
        self.edits = edits

    def visit(self, node: ast.expr, *, flows: bool = False) -> None:
        """Fold *node* or what is in it. *flows*: its value is bound, passed on or stored, so names are put in too."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, (str, bytes)):
                start, end = self.evaluator.positions.span(node)
                replace_literal(self.evaluator.source, start, end, self.evaluator.fragment, self.edits)
            return
        if isinstance(node, _ALWAYS) or (flows and isinstance(node, _FLOWING)):
            value = self.evaluator.evaluate(node)
            if value is not None and value.is_string and self._put(node, value):
                return
        visitor = VISITORS.get(type(node))
        if visitor is not None:
            visitor(self, node, flows=flows)
        elif not isinstance(node, ast.Name):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.visit(child)

    def visit_all(self, nodes: Iterable[ast.expr | None]) -> None:
        """Visit nodes whose values flow."""
        for node in nodes:
            if node is not None:
                self.visit(node.value if isinstance(node, ast.Starred) else node, flows=True)

    def inner(self, start: int, end: int) -> View | None:
        """The rewritten text of the expression ``source[start:end]`` in a literal; None if nothing changes in it."""
        parsed = self.evaluator.expression(start, end)
        if parsed is None:
            return None
        edits = Edits(self.evaluator.source, self.evaluator.fragment)
        Rewriter(parsed[0], edits).visit(parsed[1])
        return edits.render(start, end) if edits else None

    def _put(self, node: ast.expr, value: Constant) -> bool:
        """Replace *node* by its value; False if what is in it must be visited still.

        Where the source says more than the value (the name of a variable, the other branch), the value is put before
        it, so that a view never lacks what the cell holds.
        """
        view = readable(value)
        if view is None or (isinstance(node, REFERENCES) and len(view.text) > _CARRIED):
            return False
        start, end = self.evaluator.positions.span(node)
        literal = quoted(view)
        if self._is_lossy(node, view):
            before = ViewBuilder().append_slice(literal, 0, len(literal.text)).insert(" or ").build()
            self.edits.replace(start, start, before)
            return False
        self.edits.replace(*widened(self.evaluator.source, start, end), literal)
        return True

    def _is_lossy(self, node: ast.expr, view: View) -> bool:
        """Whether literals below *node* are not, or by less than half, part of its value."""
        if isinstance(node, ast.NamedExpr):
            return True
        if isinstance(node, (ast.Name, ast.Attribute, ast.JoinedStr)):
            return False
        runs = [run for run in view.origins(0, len(view.text)) if run[0] == self.evaluator.fragment]
        for start, end in self._literals(node):
            covered = sum(max(0, min(end, high) - max(start, low)) for _, low, high in runs)
            if covered * 2 < end - start:
                return True
        return False

    def _literals(self, node: ast.expr) -> Iterable[tuple[int, int]]:
        """Spans of the literals below *node* that are long enough to matter."""
        waiting: list[ast.AST] = [node]
        while waiting:
            current = waiting.pop()
            if isinstance(current, ast.Constant) and isinstance(current.value, (str, bytes)):
                start, end = self.evaluator.positions.span(current)
                if end - start >= _LONG_LITERAL:
                    yield start, end
            elif not isinstance(current, ast.JoinedStr):  # positions within are wrong before Python 3.12
                waiting += ast.iter_child_nodes(current)


_LONG_LITERAL = 10
"""Characters with quotes; shorter ones are separators, codecs, format specifications."""
