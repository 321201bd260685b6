"""The value of containers, comprehensions, assignments within expressions, and calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from jupyter_qguard.scan.fold.calls import FUNCTIONS, call_function
from jupyter_qguard.scan.fold.constant import ITEM_LIMIT, Constant, Kind, mapping, sequence
from jupyter_qguard.scan.fold.containers import elements, named_items, written_key
from jupyter_qguard.scan.fold.methods import METHODS, call_method
from jupyter_qguard.scan.fold.targets import bind_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_qguard.scan.fold.evaluate import Evaluator

_FOLLOWED = METHODS | FUNCTIONS | {"map", "getenv"}


def _walrus(evaluator: Evaluator, node: ast.NamedExpr) -> Constant | None:
    value = evaluator.evaluate(node.value)
    bind_target(evaluator, node.target, value)
    return value


def _sequence(evaluator: Evaluator, node: ast.List | ast.Tuple | ast.Set) -> Constant | None:
    values = _expanded(evaluator, node.elts)
    return sequence(values) if values is not None else None


def _expanded(evaluator: Evaluator, nodes: Sequence[ast.expr]) -> list[Constant | None] | None:
    """Values of elements or arguments with ``*`` taken apart, None if one of those is not constant."""
    if len(nodes) > ITEM_LIMIT:
        return None
    values: list[Constant | None] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items = elements(evaluator.evaluate(node.value))
            if items is None:
                return None
            values += items
        else:
            values.append(evaluator.evaluate(node))
    return values


def _mapping(evaluator: Evaluator, node: ast.Dict) -> Constant | None:
    if len(node.keys) > ITEM_LIMIT:
        return None
    table: dict[str, Constant | None] = {}
    for key, value_node in zip(node.keys, node.values, strict=True):
        value = evaluator.evaluate(value_node)
        if key is None:
            if value is not None and value.kind is Kind.MAPPING:
                table.update(zip(value.keys, value.items, strict=True))
            continue
        written = written_key(evaluator.evaluate(key))
        if written is not None:
            table[written] = value
    return mapping(table)


def _comprehension(evaluator: Evaluator, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Constant | None:
    generator = node.generators[0]
    items = elements(evaluator.evaluate(generator.iter))
    if items is None or len(items) > ITEM_LIMIT or len(node.generators) > 1 or generator.ifs:
        return None
    return sequence(_applied(evaluator, generator.target, node.elt, value) for value in items)


def _applied(evaluator: Evaluator, target: ast.expr, body: ast.expr, value: Constant | None) -> Constant | None:
    """The value of *body* with *target* bound to *value*."""
    inner = evaluator.within(evaluator.positions, evaluator.scope.child())
    bind_target(inner, target, value)
    return inner.evaluate(body)


def _call(evaluator: Evaluator, node: ast.Call) -> Constant | None:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in _FOLLOWED:
        path = evaluator.path(node)
        return evaluator.scope.lookup(path) if path else None
    if name == "map" and len(node.args) == 2:
        return _map(evaluator, node.args[0], elements(evaluator.evaluate(node.args[1])))
    arguments = _expanded(evaluator, node.args)
    if arguments is None:
        return None
    keywords: dict[str, Constant | None] = {}
    for keyword in node.keywords:
        value = evaluator.evaluate(keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif value is not None and value.kind is Kind.MAPPING:
            keywords.update(named_items(value))
    if isinstance(function, ast.Attribute):
        owner = evaluator.evaluate(function.value)
        if owner is not None and owner.kind is not Kind.OBJECT:
            return call_method(owner, name, arguments, keywords)
    path = evaluator.path(function) or ""
    if name == "getenv" or path.endswith("environ.get"):
        return _from_environment(evaluator, [*arguments, *keywords.values()])
    return call_function(path, arguments, keywords)


def _from_environment(evaluator: Evaluator, arguments: Sequence[Constant | None]) -> Constant | None:
    """``os.getenv(key, default)``: what this notebook has put into the environment, else the default."""
    key = written_key(arguments[0]) if arguments else None
    known = evaluator.scope.lookup(f"os.environ[{key}]")
    return known if known is not None else arguments[1] if len(arguments) == 2 else None


def _map(evaluator: Evaluator, function: ast.expr, items: Sequence[Constant | None] | None) -> Constant | None:
    if items is None:
        return None
    if isinstance(function, ast.Lambda):
        parameters = function.args.args
        if len(parameters) != 1:
            return None
        target = ast.Name(parameters[0].arg)
        return sequence(_applied(evaluator, target, function.body, value) for value in items)
    path = evaluator.path(function)
    return sequence(call_function(path, (value,), {}) for value in items) if path else None


COMPOUND_EXPRESSIONS: dict[type[ast.expr], Callable[[Evaluator, Any], Constant | None]] = {
    ast.Call: _call,
    ast.Dict: _mapping,
    ast.GeneratorExp: _comprehension,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.NamedExpr: _walrus,
    ast.Set: _sequence,
    ast.SetComp: _comprehension,
    ast.Tuple: _sequence,
}
"""One handler for each kind of expression."""
