"""Calls that stand alone and change what they are called on: ``parts.append(…)``, ``os.putenv(…)``, ``setattr(…)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import Constant, Kind, sequence
from jupyter_qguard.scan.fold.containers import elements, named_items, written_key
from jupyter_qguard.scan.fold.edits import widened
from jupyter_qguard.scan.fold.targets import bind_item, bind_target
from jupyter_qguard.scan.view import ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.scan.fold.rewrite import Rewriter

MUTATORS = frozenset(("append", "extend", "insert", "update", "clear", "pop", "popitem", "remove", "sort", "reverse"))
"""Methods that change a list or dictionary."""
_ENVIRONMENT = ast.Attribute(ast.Name("os"), "environ")


def apply_call(rewriter: Rewriter, call: ast.Call) -> None:
    """Follow what the call does to known names, and fold what is in it."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = function.value if isinstance(function, ast.Attribute) else None
    if name == "setattr" and len(call.args) == 3:
        _set_attribute(rewriter, call)
    elif name == "putenv" and len(call.args) == 2:
        _set_item(rewriter, call, _ENVIRONMENT)
    elif owner is not None and name in ("setdefault", "__setitem__") and len(call.args) == 2:
        _set_item(rewriter, call, owner)
    else:
        rewriter.visit(call)
        if owner is not None and name in MUTATORS:
            _mutate(rewriter, owner, name, call)


def _set_attribute(rewriter: Rewriter, call: ast.Call) -> None:
    """``setattr(config, "token", value)`` is shown, and followed, as ``config.token = value``."""
    evaluator = rewriter.evaluator
    owner, key_node, value_node = call.args
    key, value = evaluator.evaluate(key_node), evaluator.evaluate(value_node)
    path = evaluator.path(owner)
    if key is None or key.kind is not Kind.TEXT or not key.text.isidentifier():
        rewriter.visit(call)
        return
    if path is not None:
        evaluator.scope.bind(f"{path}.{key.text}", value)
    start, end = evaluator.positions.span(owner)
    shown = ViewBuilder().append(evaluator.source[start:end], evaluator.fragment, start, end).insert(".")
    _show_assignment(rewriter, call, shown.append_slice(key.view, 0, len(key.text)))


def _set_item(rewriter: Rewriter, call: ast.Call, owner: ast.expr) -> None:
    """``os.putenv("KEY", value)`` is shown, and followed, as ``os.environ["KEY"] = value``."""
    evaluator = rewriter.evaluator
    key, value = evaluator.evaluate(call.args[0]), evaluator.evaluate(call.args[1])
    written = written_key(key)
    if key is None or key.kind is not Kind.TEXT or written is None:
        rewriter.visit(call)
        return
    bind_item(evaluator, owner, written, value)
    shown = ViewBuilder()
    if owner is _ENVIRONMENT:
        shown.insert("os.environ")
    else:
        start, end = evaluator.positions.span(owner)
        shown.append(evaluator.source[start:end], evaluator.fragment, start, end)
    _show_assignment(rewriter, call, shown.insert('["').append_slice(key.view, 0, len(key.text)).insert('"]'))


def _show_assignment(rewriter: Rewriter, call: ast.Call, target: ViewBuilder) -> None:
    """Put ``target = `` before the last argument of the call, and take the rest of the call away."""
    value = call.args[-1]
    constant = rewriter.evaluator.evaluate(value)
    if constant is None or not constant.is_string:
        rewriter.visit(call)
        return
    source, positions = rewriter.evaluator.source, rewriter.evaluator.positions
    call_start, call_end = positions.span(call)
    start, end = widened(source, *positions.span(value))
    if end > call_end:  # the only argument in parentheses cannot be told from the call's own
        start, end = positions.span(value)
    rewriter.edits.replace(call_start, start, target.insert(" = ").build())
    rewriter.edits.remove(end, call_end)
    rewriter.visit(value, flows=True)


def _mutate(rewriter: Rewriter, owner: ast.expr, name: str, call: ast.Call) -> None:
    evaluator = rewriter.evaluator
    known = evaluator.evaluate(owner)
    values = [evaluator.evaluate(argument) for argument in call.args]
    if name == "update":
        items = named_items(values[0]) if values and values[0] is not None else {}
        items.update({keyword.arg: evaluator.evaluate(keyword.value) for keyword in call.keywords if keyword.arg})
        for key, value in items.items():
            bind_item(evaluator, owner, repr(key), value)
    elif known is not None and known.kind is Kind.SEQUENCE and name in _LISTS:
        bind_target(evaluator, owner, _LISTS[name](known, values))
    elif known is not None and known.kind in (Kind.SEQUENCE, Kind.MAPPING):
        bind_target(evaluator, owner, None)


def _append(known: Constant, values: list[Constant | None]) -> Constant | None:
    return sequence([*known.items, *values]) if len(values) == 1 else None


def _extend(known: Constant, values: list[Constant | None]) -> Constant | None:
    more = elements(values[0]) if len(values) == 1 else None
    return sequence([*known.items, *more]) if more is not None else None


def _insert(known: Constant, values: list[Constant | None]) -> Constant | None:
    if len(values) != 2 or values[0] is None or values[0].kind is not Kind.NUMBER:
        return None
    items = list(known.items)
    items.insert(int(values[0].text), values[1])
    return sequence(items)


_LISTS: dict[str, Callable[[Constant, list[Constant | None]], Constant | None]] = {
    "append": _append,
    "extend": _extend,
    "insert": _insert,
}
