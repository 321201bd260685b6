"""Functions and classes: default arguments, what a function returns, the attributes of a class and of ``self``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.scan.fold.scope import Scope
    from jupyter_qguard.scan.fold.statements import Walker

_RECEIVERS = ("self", "cls")
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def apply_function(walker: Walker, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Fold a function. Its parameters hide names; they have their default values as far as those are constant."""
    evaluator = walker.evaluator
    walker.rewriter.visit_all(node.decorator_list)
    walker.rewriter.visit_all([*node.args.defaults, *node.args.kw_defaults])
    outer = evaluator.scope
    outer.bind(node.name, None)
    inner = outer.child()
    for parameter, default in _parameters(node.args):
        if parameter.arg not in _RECEIVERS:
            inner.bind(parameter.arg, evaluator.evaluate(default))
    enclosing, walker.returned = walker.returned, []
    walker.block(node.body, inner)
    returned, walker.returned = walker.returned, enclosing
    for name in _shared_names(node, inner):
        if name in inner.changes:
            outer.bind(name, inner.changes[name])
    if returned:
        outer.bind(f"{node.name}()", max(returned, key=lambda value: len(value.text)))


def apply_class(walker: Walker, node: ast.ClassDef) -> None:
    """Fold a class. Its attributes are known as ``Class.name`` afterwards, and as ``self.name`` in its methods."""
    evaluator = walker.evaluator
    walker.rewriter.visit_all([*node.decorator_list, *(keyword.value for keyword in node.keywords)])
    outer = evaluator.scope
    outer.bind(node.name, None)
    inner = outer.child()
    walker.block([child for child in node.body if not isinstance(child, _Function)], inner)
    attributes = {name: value for name, value in inner.changes.items() if name.isidentifier() and value is not None}
    for name, value in attributes.items():
        inner.bind(f"self.{name}", value)
        inner.bind(f"cls.{name}", value)
    walker.block([child for child in node.body if isinstance(child, _Function)], inner)
    found = {f".{name}": value for name, value in attributes.items()}
    found.update(inner.members("self"))
    for member, value in found.items():
        outer.bind(f"{node.name}{member}", value)


def _parameters(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """All parameters with their defaults."""
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    yield from zip(positional, [*([None] * missing), *arguments.defaults], strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            yield rest, None


def _shared_names(node: ast.AST, inner: Scope) -> Iterator[str]:
    """Names that a function binds outside of itself: those it declares, and attributes of ``self``."""
    for child in ast.walk(node):
        if isinstance(child, (ast.Global, ast.Nonlocal)):
            yield from child.names
    yield from (name for name in list(inner.changes) if name.startswith(("self.", "cls.")))
