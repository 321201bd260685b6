"""Assignments in all their forms."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.edits import quoted, widened
from jupyter_qguard.scan.fold.encodings import readable
from jupyter_qguard.scan.fold.operators import binary
from jupyter_qguard.scan.fold.targets import bind_target
from jupyter_qguard.scan.view import ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.scan.fold.rewrite import Rewriter

_PLACES = (ast.Name, ast.Attribute, ast.Subscript)


def apply_assignment(rewriter: Rewriter, targets: Sequence[ast.expr], value: ast.expr, node: ast.stmt) -> None:
    """``a = b = value``: fold the value, bind the targets."""
    evaluator = rewriter.evaluator
    constant = evaluator.evaluate(value)
    if len(targets) == 1:
        _show_apart(rewriter, targets[0], value, node)
    rewriter.visit(value, flows=True)
    for target in targets:
        if isinstance(target, ast.Subscript):
            rewriter.visit(target.slice)
        bind_target(evaluator, target, constant)
    if constant is None and isinstance(value, ast.Call) and isinstance(targets[0], ast.Name):
        _take_members(rewriter, value.func, targets[0].id)


def apply_augmented(rewriter: Rewriter, node: ast.AugAssign) -> None:
    """``token += "…"`` is shown as ``token = `` and the whole, if that is known."""
    evaluator = rewriter.evaluator
    whole = binary(node.op, evaluator.evaluate(node.target), evaluator.evaluate(node.value))
    view = readable(whole) if whole is not None and whole.is_string else None
    if view is None:
        rewriter.visit(node.value, flows=True)
    else:
        literal = quoted(view)
        _, start = evaluator.positions.span(node.target)
        _, end = evaluator.positions.span(node)
        shown = ViewBuilder().insert(" = ").append_slice(literal, 0, len(literal.text)).build()
        rewriter.edits.replace(start, end, shown)
    bind_target(evaluator, node.target, whole)


def _show_apart(rewriter: Rewriter, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
    """``user, token = "a", "b"`` is shown as ``user = "a"; token = "b"``, so that each name stands beside its value."""
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, (ast.Tuple, ast.List)):
        return
    evaluator = rewriter.evaluator
    constants = [evaluator.evaluate(element) for element in value.elts]
    same = len(target.elts) == len(value.elts) and all(isinstance(element, _PLACES) for element in target.elts)
    if not same or not any(constant is not None and constant.is_string for constant in constants):
        return
    done, end = evaluator.positions.span(node)
    for place, element in zip(target.elts, value.elts, strict=True):
        low, high = evaluator.positions.span(place)
        start, stop = widened(evaluator.source, *evaluator.positions.span(element))
        shown = ViewBuilder().insert("; " if place is not target.elts[0] else "")
        shown.append(evaluator.source[low:high], evaluator.fragment, low, high)
        rewriter.edits.replace(done, start, shown.insert(" = ").build())
        done = stop
    rewriter.edits.remove(done, end)


def _take_members(rewriter: Rewriter, maker: ast.expr, name: str) -> None:
    """``config = Config()`` has what was set in the class."""
    scope = rewriter.evaluator.scope
    path = rewriter.evaluator.path(maker)
    for member, value in (scope.members(path) if path is not None else {}).items():
        if member[0] != "(":
            scope.bind(f"{name}{member}", value)
