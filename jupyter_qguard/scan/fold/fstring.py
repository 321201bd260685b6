"""Formatted string literals: their parts, with the value of every replacement field that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.escapes import decode_body
from jupyter_qguard.scan.fold.formats import formatted
from jupyter_qguard.scan.fold.literal import Field, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jupyter_qguard.scan.fold.evaluate import Evaluator
    from jupyter_qguard.scan.view import View


def formatted_parts(evaluator: Evaluator, literals: Sequence[Literal]) -> Iterator[tuple[Field | None, View | None]]:
    """The parts of adjacent literals in order: ``(None, text)``, or a field with its value, None if that is not known."""
    source, fragment = evaluator.source, evaluator.fragment
    for literal in literals:
        for part in literal.parts if literal.parts is not None else ((literal.body_start, literal.body_end),):
            if isinstance(part, Field):
                yield part, field_value(evaluator, part)
            else:
                yield None, decode_body(source, *part, fragment, raw=literal.raw)


def field_value(evaluator: Evaluator, field: Field) -> View | None:
    """The text that a field is replaced with, None if that is not known."""
    source = evaluator.source
    spec = source[field.spec_start : field.spec_end]
    if "{" in spec or source[field.expression_start : field.expression_end].rstrip().endswith("="):
        return None
    value = evaluator.field(field.expression_start, field.expression_end)
    return formatted(value, field.conversion, spec) if value is not None else None
