"""Formatted literals of which only some fields have a constant value: those are put in, the others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.alone import is_worth_decoding
from jupyter_qguard.scan.fold.constant import TEXT_LIMIT
from jupyter_qguard.scan.fold.fstring import formatted_parts
from jupyter_qguard.scan.fold.literal import read_literals
from jupyter_qguard.scan.view import ViewBuilder

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.literal import Field
    from jupyter_qguard.scan.fold.rewrite import Rewriter
    from jupyter_qguard.scan.view import View


def template_body(rewriter: Rewriter, start: int, end: int) -> tuple[View, bool] | None:
    """What stands between the quotes of ``source[start:end]``, with its known fields put in, and whether that is new.

    None if it is no formatted literal, or beyond the limit.
    """
    evaluator = rewriter.evaluator
    source = evaluator.source
    literals = read_literals(source, start, end) if end - start <= TEXT_LIMIT else None
    if literals is None:
        return None
    changed = len(literals) > 1 or is_worth_decoding(source, start, end, raw=literals[0].raw)
    body = ViewBuilder()
    for field, known in formatted_parts(evaluator, literals):
        view = _rewritten_field(rewriter, field) if known is None and field is not None else known
        if view is not None:
            body.append_slice(view, 0, len(view.text))
            changed = changed or field is not None
        elif field is not None:
            body.append(source[field.start : field.end], evaluator.fragment, field.start, field.end)
    return body.build(), changed


def _rewritten_field(rewriter: Rewriter, field: Field) -> View | None:
    """A field that is not constant, with the constants in it folded; None if there are none."""
    inner = rewriter.inner(field.expression_start, field.expression_end)
    if inner is None:
        return None
    evaluator = rewriter.evaluator
    builder = ViewBuilder()
    builder.append("{", evaluator.fragment, field.start, field.start + 1).append_slice(inner, 0, len(inner.text))
    tail = evaluator.source[field.expression_end : field.end]
    return builder.append(tail, evaluator.fragment, field.expression_end, field.end).build()
