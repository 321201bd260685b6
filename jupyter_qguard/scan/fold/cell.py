"""Folds one cell: takes magics and Python apart, parses what can be parsed, leaves the rest to the lexer."""

from __future__ import annotations

import ast
import re
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.chunks import read_chunks
from jupyter_qguard.scan.fold.constant import Folded
from jupyter_qguard.scan.fold.edits import Edits
from jupyter_qguard.scan.fold.evaluate import Budget, Evaluator, Exhausted
from jupyter_qguard.scan.fold.gate import needs_folding
from jupyter_qguard.scan.fold.lexer import fold_tokens
from jupyter_qguard.scan.fold.magics import fold_magic, read_layout
from jupyter_qguard.scan.fold.positions import Positions
from jupyter_qguard.scan.fold.rewrite import Rewriter
from jupyter_qguard.scan.fold.scope import Scope
from jupyter_qguard.scan.fold.statements import Walker

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.constant import Names

_WORK = 4_000_000
"""Units of :class:`Budget` for one cell: about two seconds."""
_UNPARSABLE = re.compile(r"[\x00\ud800-\udfff]")


def fold_cell(source: str, fragment: int, names: Names) -> Folded:
    """The folded view of a code cell, and what it binds.

    Parameters
    ----------
    source
        The cell as its author wrote it, magics and all. Any text will do.
    fragment
        The number by which origins refer to this text.
    names
        What earlier cells bound. A later cell wants these and ``Folded.names`` together.

    The view is to be read beside the source: what is longer than the limits stays as it is.
    """
    if not needs_folding(source, names):
        return Folded(None, {})
    return fold_ungated(source, fragment, names)


def fold_ungated(source: str, fragment: int, names: Names) -> Folded:
    """As :func:`fold_cell`, without asking :func:`needs_folding` first."""
    scope = Scope(names)
    edits = Edits(source, fragment)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes of the cell are none of ours
        with suppress(Exhausted):
            _fold(source, fragment, scope, edits)
    view = edits.render(0, len(source)) if edits else None
    return Folded(view, scope.export(4 * len(source) + 1024))


def _fold(source: str, fragment: int, scope: Scope, edits: Edits) -> None:
    text = _UNPARSABLE.sub("?", source)
    layout = read_layout(source, text)
    budget = Budget(_WORK)
    evaluator = Evaluator(source, fragment, Positions("", 0), scope, budget)
    magics = list(layout.magics)
    if layout.language:
        for chunk in read_chunks(layout.python):
            inner = evaluator.within(chunk.positions, scope)
            if chunk.body is None:
                fold_tokens(source, chunk.start, chunk.end, fragment, edits, python=True)
                continue
            walker = Walker(Rewriter(inner, edits))
            for statement in chunk.body:
                span = chunk.positions.span(statement)
                while magics and magics[0][0] < span[0]:
                    fold_magic(evaluator, edits, *magics.pop(0))
                    evaluator.forget()
                _fold_statement(walker, statement, scope)
    else:
        fold_tokens(source, layout.body, len(source), fragment, edits, python=False)
    for span in magics:
        fold_magic(evaluator, edits, *span)


def _fold_statement(walker: Walker, statement: ast.stmt, scope: Scope) -> None:
    """Fold one statement; one that is nested too deeply by its tokens alone."""
    evaluator, edits = walker.evaluator, walker.rewriter.edits
    mark = edits.mark()
    try:
        walker.statement(statement)
    except RecursionError:
        edits.rollback(mark)
        evaluator.scope = scope
        start, end = evaluator.positions.span(statement)
        fold_tokens(evaluator.source, start, end, evaluator.fragment, edits, python=True)
