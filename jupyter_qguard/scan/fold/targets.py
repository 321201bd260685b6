"""Binds what is assigned to: names, members of objects, items of known containers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import Kind, sequence
from jupyter_qguard.scan.fold.containers import elements, updated, written_key

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.constant import Constant
    from jupyter_qguard.scan.fold.evaluate import Evaluator


def bind_target(evaluator: Evaluator, target: ast.expr, value: Constant | None) -> None:
    """Bind the target of an assignment in the evaluator's scope; None for a value that is not constant."""
    if isinstance(target, ast.Name):
        evaluator.scope.bind(target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(evaluator, target.elts, value)
    elif isinstance(target, ast.Starred):
        bind_target(evaluator, target.value, value)
    elif isinstance(target, ast.Attribute):
        path = evaluator.path(target)
        if path is not None:
            evaluator.scope.bind(path, value)
    elif isinstance(target, ast.Subscript):
        key = written_key(evaluator.evaluate(target.slice))
        if key is not None:
            bind_item(evaluator, target.value, key, value)


def bind_item(evaluator: Evaluator, owner: ast.expr, key: str, value: Constant | None) -> None:
    """Bind ``owner[key]``, with the key as Python writes it."""
    known = evaluator.evaluate(owner)
    if known is not None and known.kind is Kind.MAPPING:
        bind_target(evaluator, owner, updated(known, {key: value}))
    elif known is not None and known.kind is Kind.SEQUENCE:
        index = int(key) if key.lstrip("-").isdecimal() else len(known.items)
        items = list(known.items)
        if -len(items) <= index < len(items):
            items[index] = value
            bind_target(evaluator, owner, sequence(items))
    else:
        path = evaluator.path(owner)
        if path is not None:
            evaluator.scope.bind(f"{path}[{key}]", value)


def _unpack(evaluator: Evaluator, targets: list[ast.expr], value: Constant | None) -> None:
    """Bind targets one by one; those before and after a starred one get what stands there."""
    items = list(elements(value) or ())
    starred = next((at for at, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if starred is not None and len(items) >= len(targets) - 1:
        end = len(items) - (len(targets) - starred - 1)
        items[starred:end] = [sequence(items[starred:end])]
    fits = len(items) == len(targets)
    for at, target in enumerate(targets):
        bind_target(evaluator, target, items[at] if fits else None)
