"""The value of literals, names, subscripts, operators and alternatives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from jupyter_qguard.scan.fold.constant import TEXT_LIMIT, Constant, Kind, number, runs_of, string
from jupyter_qguard.scan.fold.containers import item, part
from jupyter_qguard.scan.fold.escapes import literals_view
from jupyter_qguard.scan.fold.fstring import formatted_parts
from jupyter_qguard.scan.fold.literal import read_literals
from jupyter_qguard.scan.fold.operators import add, binary
from jupyter_qguard.scan.fold.strings import concat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_qguard.scan.fold.evaluate import Evaluator


def operands(node: ast.BinOp) -> list[ast.expr]:
    """The operands of a chain of ``+``, leftmost first. A chain in parentheses is one operand."""
    found: list[ast.expr] = []
    current: ast.expr = node
    while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add):
        found.append(current.right)
        left = current.left
        if (left.lineno, left.col_offset) != (current.lineno, current.col_offset):
            found.append(left)
            break
        current = left
    else:
        found.append(current)
    found.reverse()
    return found


def _constant(evaluator: Evaluator, node: ast.Constant) -> Constant | None:
    value = node.value
    if type(value) is int:
        return number(value, ((evaluator.fragment, *evaluator.positions.span(node)),))
    if not isinstance(value, (str, bytes)):
        return None
    start, end = evaluator.positions.span(node)
    literals = read_literals(evaluator.source, start, end) if end - start <= 2 * TEXT_LIMIT else None
    if literals is None:
        return None
    view = literals_view(evaluator.source, literals, evaluator.fragment)
    return string(view, Kind.BYTES if isinstance(value, bytes) else Kind.TEXT)


def _formatted(evaluator: Evaluator, node: ast.JoinedStr) -> Constant | None:
    start, end = evaluator.positions.span(node)
    literals = read_literals(evaluator.source, start, end) if end - start <= 2 * TEXT_LIMIT else None
    if literals is None:
        return None
    views = []
    for _, view in formatted_parts(evaluator, literals):
        if view is None:
            return None
        views.append(view)
    return string(concat(views))


def _name(evaluator: Evaluator, node: ast.Name) -> Constant | None:
    return evaluator.scope.lookup(node.id)


def _attribute(evaluator: Evaluator, node: ast.Attribute) -> Constant | None:
    path = evaluator.path(node)
    return evaluator.scope.lookup(path) if path else None


def _subscript(evaluator: Evaluator, node: ast.Subscript) -> Constant | None:
    owner = evaluator.evaluate(node.value)
    if owner is None or owner.kind is Kind.OBJECT:
        path = evaluator.path(node)
        return evaluator.scope.lookup(path) if path else None
    if isinstance(node.slice, ast.Slice):
        taken = _slice(evaluator, node.slice)
        return part(owner, taken) if taken is not None else None
    key = evaluator.evaluate(node.slice)
    return item(owner, key) if key is not None else None


def _slice(evaluator: Evaluator, node: ast.Slice) -> slice | None:
    """A slice with constant bounds, None if one of them is not known or the step is 0."""
    bounds: list[int | None] = []
    for bound in (node.lower, node.upper, node.step):
        value = evaluator.evaluate(bound)
        if bound is not None and (value is None or value.kind is not Kind.NUMBER):
            return None
        bounds.append(int(value.text) if value is not None else None)
    return slice(*bounds) if bounds[2] != 0 else None


def _operation(evaluator: Evaluator, node: ast.BinOp) -> Constant | None:
    if not isinstance(node.op, ast.Add):
        return binary(node.op, evaluator.evaluate(node.left), evaluator.evaluate(node.right))
    values: list[Constant] = []
    for operand in operands(node):
        value = evaluator.evaluate(operand)
        if value is None or (values and value.kind is not values[0].kind):
            return None
        values.append(value)
    if values[0].is_string:
        return string(concat(value.view for value in values), values[0].kind)
    total: Constant | None = values[0]
    for value in values[1:]:
        total = add(total, value) if total is not None else None
    return total


def _negated(evaluator: Evaluator, node: ast.UnaryOp) -> Constant | None:
    value = evaluator.evaluate(node.operand)
    if value is None or value.kind is not Kind.NUMBER or not isinstance(node.op, (ast.USub, ast.UAdd)):
        return None
    return number(-int(value.text), runs_of(value.view)) if isinstance(node.op, ast.USub) else value


def _alternative(evaluator: Evaluator, node: ast.IfExp) -> Constant | None:
    return _longest([evaluator.evaluate(node.body), evaluator.evaluate(node.orelse)])


def _either(evaluator: Evaluator, node: ast.BoolOp) -> Constant | None:
    return _longest([evaluator.evaluate(value) for value in node.values])


def _longest(values: Sequence[Constant | None]) -> Constant | None:
    """Of what an expression may give: the longest string, else the only constant."""
    strings = [value for value in values if value is not None and value.is_string]
    if strings:
        return max(strings, key=lambda value: len(value.text))
    constants = [value for value in values if value is not None]
    return constants[0] if len(constants) == 1 else None


SIMPLE_EXPRESSIONS: dict[type[ast.expr], Callable[[Evaluator, Any], Constant | None]] = {
    ast.Attribute: _attribute,
    ast.BinOp: _operation,
    ast.BoolOp: _either,
    ast.Constant: _constant,
    ast.IfExp: _alternative,
    ast.JoinedStr: _formatted,
    ast.Name: _name,
    ast.Subscript: _subscript,
    ast.UnaryOp: _negated,
}
"""One handler for each kind of expression."""
