"""Goes through the statements of a cell in order: folds their expressions, follows what they bind."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_qguard.scan.fold.assignments import apply_assignment, apply_augmented
from jupyter_qguard.scan.fold.constant import Constant, Kind
from jupyter_qguard.scan.fold.containers import elements
from jupyter_qguard.scan.fold.definitions import apply_class, apply_function
from jupyter_qguard.scan.fold.edits import Edits
from jupyter_qguard.scan.fold.effects import MUTATORS, apply_call
from jupyter_qguard.scan.fold.targets import bind_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jupyter_qguard.scan.fold.rewrite import Rewriter
    from jupyter_qguard.scan.fold.scope import Scope

_ROUNDS = 256
"""Rounds of a loop over a constant that are followed."""
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)


class Walker:
    """Follows the statements of one parsed text."""

    def __init__(self, rewriter: Rewriter) -> None:
        """Fold expressions with *rewriter*."""
        self.rewriter = rewriter
        self.evaluator = rewriter.evaluator
        self.returned: list[Constant] = []
        """What the function that is being gone through may return."""

    def statement(self, node: ast.stmt) -> None:
        """Follow one statement."""
        handler = self._HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.rewriter.visit(child)
            elif isinstance(child, ast.stmt):
                self.statement(child)

    def block(self, body: Iterable[ast.stmt], scope: Scope) -> Scope:
        """Follow statements in a scope of their own, which is returned."""
        outer, self.evaluator.scope = self.evaluator.scope, scope
        for node in body:
            self.statement(node)
        self.evaluator.scope = outer
        return scope

    def branch(self, body: Iterable[ast.stmt]) -> Scope:
        """Follow statements that may or may not run."""
        return self.block(body, self.evaluator.scope.child())

    def unbind(self, names: Iterable[str | None]) -> None:
        """Note that names have values that are not constant."""
        for name in names:
            if name is not None:
                self.evaluator.scope.bind(name, None)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            apply_assignment(self.rewriter, [node.target], node.value, node)

    def _assign(self, node: ast.Assign) -> None:
        apply_assignment(self.rewriter, node.targets, node.value, node)

    def _augmented(self, node: ast.AugAssign) -> None:
        apply_augmented(self.rewriter, node)

    def _expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            apply_call(self.rewriter, node.value)
        else:
            self.rewriter.visit(node.value)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.rewriter.visit(node.value, flows=True)
            value = self.evaluator.evaluate(node.value)
            if value is not None and value.is_string:
                self.returned.append(value)

    def _if(self, node: ast.If) -> None:
        self.rewriter.visit(node.test)
        self.evaluator.scope.merge(self.branch(node.body), self.branch(node.orelse))

    def _try(self, node: Any) -> None:
        branches = [self.branch([*node.body, *node.orelse])]
        for handler in node.handlers:
            self.unbind([handler.name])
            branches.append(self.branch(handler.body))
        self.evaluator.scope.merge(*branches)
        for child in node.finalbody:
            self.statement(child)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.rewriter.visit(item.context_expr)
            if item.optional_vars is not None:
                bind_target(self.evaluator, item.optional_vars, None)
        for child in node.body:
            self.statement(child)

    def _match(self, node: ast.Match) -> None:
        self.rewriter.visit(node.subject)
        for case in node.cases:
            self.unbind(getattr(part, "name", None) for part in ast.walk(case.pattern))
        self.evaluator.scope.merge(*(self.branch(case.body) for case in node.cases), self.evaluator.scope.child())

    def _while(self, node: ast.While) -> None:
        self._unbind_changing(node.body)
        self.rewriter.visit(node.test)
        self.evaluator.scope.merge(self.branch(node.body), self.evaluator.scope.child())
        self._each(node.orelse)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.rewriter.visit(node.iter)
        followed = self._follow_rounds(node)
        before = self.evaluator.scope
        self.evaluator.scope = before.child()
        self._unbind_changing(node.body)
        bind_target(self.evaluator, node.target, None)
        body = self.branch(node.body)
        self.evaluator.scope.merge(body, self.evaluator.scope.child())
        unknown, self.evaluator.scope = self.evaluator.scope, before
        before.merge(followed if followed is not None else unknown)
        self._each(node.orelse)

    def _follow_rounds(self, node: ast.For | ast.AsyncFor) -> Scope | None:
        """What a loop over a constant binds, round by round; None for a loop that does more than bind."""
        items = elements(self.evaluator.evaluate(node.iter))
        if items is None or len(items) > _ROUNDS or not all(isinstance(child, _SIMPLE) for child in node.body):
            return None
        written, self.rewriter.edits = self.rewriter.edits, Edits("", 0)
        before, self.evaluator.scope = self.evaluator.scope, self.evaluator.scope.child()
        for value in items:
            self.evaluator.forget()
            bind_target(self.evaluator, node.target, value)
            self._each(node.body)
        self.evaluator.forget()
        scope, self.evaluator.scope = self.evaluator.scope, before
        self.rewriter.edits = written
        return scope

    def _unbind_changing(self, body: Sequence[ast.stmt]) -> None:
        """Forget names that a loop changes from round to round: their first value is not their last."""
        for child in (part for node in body for part in ast.walk(node)):
            if isinstance(child, ast.AugAssign):
                bind_target(self.evaluator, child.target, None)
            elif isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in MUTATORS:
                owner = self.evaluator.evaluate(child.func.value)
                if owner is not None and owner.kind is Kind.SEQUENCE:
                    bind_target(self.evaluator, child.func.value, None)
        self.evaluator.forget()

    def _each(self, body: Iterable[ast.stmt]) -> None:
        for child in body:
            self.statement(child)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            bind_target(self.evaluator, target, None)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """A module imported again is still the same one, with the members that were set in it."""
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            known = self.evaluator.scope.lookup(name)
            if known is not None and known.kind is not Kind.OBJECT:
                self.evaluator.scope.bind(name, None)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        apply_function(self, node)

    def _class(self, node: ast.ClassDef) -> None:
        apply_class(self, node)

    _HANDLERS: ClassVar[dict[type[ast.AST], Callable[[Walker, Any], None]]] = {
        ast.AnnAssign: _annotated,
        ast.Assign: _assign,
        ast.AsyncFor: _for,
        ast.AsyncFunctionDef: _function,
        ast.AsyncWith: _with,
        ast.AugAssign: _augmented,
        ast.ClassDef: _class,
        ast.Delete: _delete,
        ast.Expr: _expression,
        ast.For: _for,
        ast.FunctionDef: _function,
        ast.If: _if,
        ast.Import: _import,
        ast.ImportFrom: _import,
        ast.Match: _match,
        ast.Return: _return,
        ast.Try: _try,
        ast.While: _while,
        ast.With: _with,
    }
    if sys.version_info >= (3, 11):
        _HANDLERS[ast.TryStar] = _try
