"""Binary operators between constants."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import Constant, Kind, number, runs_of, sequence, string
from jupyter_qguard.scan.fold.containers import updated
from jupyter_qguard.scan.fold.formats import percent
from jupyter_qguard.scan.fold.strings import concat, repeat

if TYPE_CHECKING:
    from collections.abc import Callable

_COUNT = 4096
"""Times that anything is repeated."""


def binary(operator: ast.operator, left: Constant | None, right: Constant | None) -> Constant | None:
    """What ``left operator right`` gives, None if that is not known or an error."""
    if left is None or right is None:
        return None
    handler = _HANDLERS.get(type(operator))
    return handler(left, right) if handler is not None else None


def add(left: Constant, right: Constant) -> Constant | None:
    """Concatenation of equal kinds, sum of numbers."""
    if left.kind is not right.kind:
        return None
    if left.is_string:
        return string(concat((left.view, right.view)), left.kind)
    if left.kind is Kind.SEQUENCE:
        return sequence(left.items + right.items)
    return _arithmetic(left, right, int.__add__)


def _multiply(left: Constant, right: Constant) -> Constant | None:
    if left.kind is Kind.NUMBER:
        left, right = right, left
    if left.kind is Kind.TEXT and right.kind is Kind.TEXT:
        return add(left, right)  # no Python: Julia joins strings with *
    if right.kind is not Kind.NUMBER:
        return None
    if left.kind is Kind.NUMBER:
        return _arithmetic(left, right, int.__mul__)
    times = max(0, int(right.text))
    if times > _COUNT:
        return None
    if left.kind is Kind.SEQUENCE:
        return sequence(left.items * times) if times * len(left.items) <= _COUNT else None
    view = repeat(left.view, times) if left.is_string else None
    return string(view, left.kind) if view is not None else None


def _subtract(left: Constant, right: Constant) -> Constant | None:
    return _arithmetic(left, right, int.__sub__)


def _exclusive_or(left: Constant, right: Constant) -> Constant | None:
    return _arithmetic(left, right, int.__xor__)


def _format(left: Constant, right: Constant) -> Constant | None:
    if not left.is_string:
        return None
    view = percent(left, right)
    return string(view, left.kind) if view is not None else None


def _unite(left: Constant, right: Constant) -> Constant | None:
    if left.kind is not Kind.MAPPING or right.kind is not Kind.MAPPING:
        return None
    return updated(left, dict(zip(right.keys, right.items, strict=True)))


def _arithmetic(left: Constant, right: Constant, operation: Callable[[int, int], int]) -> Constant | None:
    if left.kind is not Kind.NUMBER or right.kind is not Kind.NUMBER:
        return None
    return number(operation(int(left.text), int(right.text)), (*runs_of(left.view), *runs_of(right.view)))


_HANDLERS: dict[type[ast.operator], Callable[[Constant, Constant], Constant | None]] = {
    ast.Add: add,
    ast.Mult: _multiply,
    ast.Mod: _format,
    ast.Sub: _subtract,
    ast.BitXor: _exclusive_or,
    ast.BitOr: _unite,
}
