"""How each kind of expression that is not constant itself is gone through, and where in it values flow."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Protocol

from jupyter_qguard.scan.fold.constant import TEXT_LIMIT, Constant, Kind, mapping
from jupyter_qguard.scan.fold.edits import quoted, widened
from jupyter_qguard.scan.fold.encodings import readable
from jupyter_qguard.scan.fold.expressions import operands
from jupyter_qguard.scan.fold.strings import concat
from jupyter_qguard.scan.fold.targets import bind_target
from jupyter_qguard.scan.fold.templates import template_body
from jupyter_qguard.scan.view import ViewBuilder

if TYPE_CHECKING:
    from typing import Any

    from jupyter_qguard.scan.fold.rewrite import Rewriter


class _Visitor(Protocol):
    def __call__(self, rewriter: Rewriter, node: Any, *, flows: bool) -> None: ...


def _operation(rewriter: Rewriter, node: ast.BinOp, *, flows: bool) -> None:
    """Join the constants that follow each other in a chain of ``+``; names flow into it and into ``%``."""
    if not isinstance(node.op, ast.Add):
        rewriter.visit(node.left, flows=flows and isinstance(node.op, ast.Mod))
        rewriter.visit(node.right, flows=isinstance(node.op, ast.Mod))
        return
    run: list[tuple[ast.expr, Constant]] = []
    for operand in operands(node):
        value = rewriter.evaluator.evaluate(operand)
        if value is None and isinstance(operand, ast.JoinedStr):
            body = template_body(rewriter, *rewriter.evaluator.positions.span(operand))
            value = Constant(body[0]) if body is not None else None
        if run and (value is None or value.kind is not run[0][1].kind):
            _join_run(rewriter, run)
            run = []
        if value is not None and value.is_string:
            run.append((operand, value))
        else:
            rewriter.visit(operand, flows=True)
    _join_run(rewriter, run)


def _join_run(rewriter: Rewriter, run: list[tuple[ast.expr, Constant]]) -> None:
    length = sum(len(value.text) for _, value in run)
    whole = None
    if len(run) > 1 and length <= TEXT_LIMIT:
        whole = readable(Constant(concat(value.view for _, value in run), run[0][1].kind))
    if whole is None:
        rewriter.visit_all(operand for operand, _ in run)
        return
    source, positions = rewriter.evaluator.source, rewriter.evaluator.positions
    start, _ = widened(source, *positions.span(run[0][0]))
    _, end = widened(source, *positions.span(run[-1][0]))
    rewriter.edits.replace(start, end, quoted(whole))


def _template(rewriter: Rewriter, node: ast.JoinedStr, *, flows: bool) -> None:
    del flows
    start, end = rewriter.evaluator.positions.span(node)
    body = template_body(rewriter, start, end)
    if body is None or not body[1]:
        return
    literal = quoted(body[0])
    shown = ViewBuilder().insert("f").append_slice(literal, 0, len(literal.text)).build()
    rewriter.edits.replace(start, end, shown)


def _call(rewriter: Rewriter, node: ast.Call, *, flows: bool) -> None:
    del flows
    rewriter.visit(node.func)
    rewriter.visit_all(node.args)
    for keyword in node.keywords:
        if keyword.arg is None:
            _expand(rewriter, keyword.value, rewriter.evaluator.positions.span(keyword), "{}=")
        else:
            rewriter.visit(keyword.value, flows=True)


def _mapping(rewriter: Rewriter, node: ast.Dict, *, flows: bool) -> None:
    del flows
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            start, end = rewriter.evaluator.positions.span(value)
            _expand(rewriter, value, (rewriter.evaluator.source.rfind("**", 0, start), end), '"{}": ')
        else:
            rewriter.visit(key)
            rewriter.visit(value, flows=True)


def _expand(rewriter: Rewriter, node: ast.expr, span: tuple[int, int], form: str) -> None:
    """Put the items of a known mapping in the place of ``**mapping`` at *span*, or before it if some are not known."""
    table = rewriter.evaluator.evaluate(node)
    if table is None or table.kind is Kind.OBJECT:
        table = _known_items(rewriter, node)
    if table is None or table.kind is not Kind.MAPPING or span[0] < 0:
        rewriter.visit(node)
        return
    builder = ViewBuilder()
    known = 0
    for key, item in zip(table.keys, table.items, strict=True):
        view = readable(item) if item is not None and item.is_string else None
        if view is not None and key[1:-1].isidentifier():
            literal = quoted(view)
            builder.insert((", " if known else "") + form.format(key[1:-1])).append_slice(literal, 0, len(literal.text))
            known += 1
    if known == len(table.keys) > 0 and not isinstance(node, (ast.Dict, ast.Call)):
        rewriter.edits.replace(*span, builder.build())
        return
    if known:
        rewriter.edits.replace(span[0], span[0], builder.insert(", ").build())
    rewriter.visit(node)


def _known_items(rewriter: Rewriter, node: ast.expr) -> Constant | None:
    """What has been put into a dictionary that is not known itself; one item is marked as not constant."""
    path = rewriter.evaluator.path(node)
    members = rewriter.evaluator.scope.members(path) if path is not None else {}
    items: dict[str, Constant | None] = {
        key[1:-1]: value for key, value in members.items() if key.startswith("['") and key.endswith("']")
    }
    return mapping({**items, "": None}) if items else None


def _elements(rewriter: Rewriter, node: ast.List | ast.Tuple | ast.Set, *, flows: bool) -> None:
    del flows
    rewriter.visit_all(node.elts)


def _alternative(rewriter: Rewriter, node: ast.IfExp, *, flows: bool) -> None:
    rewriter.visit(node.test)
    rewriter.visit(node.body, flows=flows)
    rewriter.visit(node.orelse, flows=flows)


def _either(rewriter: Rewriter, node: ast.BoolOp, *, flows: bool) -> None:
    for value in node.values:
        rewriter.visit(value, flows=flows)


def _passed_on(rewriter: Rewriter, node: Any, *, flows: bool) -> None:
    del flows
    rewriter.evaluator.evaluate(node)
    rewriter.visit_all([node.value])


def _lambda(rewriter: Rewriter, node: ast.Lambda, *, flows: bool) -> None:
    del flows
    rewriter.visit_all([*node.args.defaults, *node.args.kw_defaults])
    outer = rewriter.evaluator.scope
    rewriter.evaluator.scope = outer.child()
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            rewriter.evaluator.scope.bind(argument.arg, None)
    rewriter.visit(node.body, flows=True)
    rewriter.evaluator.scope = outer


def _comprehension(rewriter: Rewriter, node: Any, *, flows: bool) -> None:
    del flows
    outer = rewriter.evaluator.scope
    rewriter.evaluator.scope = outer.child()
    for generator in node.generators:
        rewriter.visit(generator.iter)
        bind_target(rewriter.evaluator, generator.target, None)
        for test in generator.ifs:
            rewriter.visit(test)
    rewriter.visit_all((node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,))
    rewriter.evaluator.scope = outer


VISITORS: dict[type[ast.expr], _Visitor] = {
    ast.Await: _passed_on,
    ast.BinOp: _operation,
    ast.BoolOp: _either,
    ast.Call: _call,
    ast.Dict: _mapping,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _alternative,
    ast.JoinedStr: _template,
    ast.Lambda: _lambda,
    ast.List: _elements,
    ast.ListComp: _comprehension,
    ast.NamedExpr: _passed_on,
    ast.Set: _elements,
    ast.SetComp: _comprehension,
    ast.Tuple: _elements,
    ast.Yield: _passed_on,
    ast.YieldFrom: _passed_on,
}
"""One visitor for each kind of expression in which values flow; others are gone through child by child."""
