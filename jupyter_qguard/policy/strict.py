"""A file's data to the records that describe it; everything that is wrong is told at once, with file, line and key."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import inspect

from jupyter_qguard.policy.document import InvalidPolicyError, Path, PolicyText, Problem, dotted
from jupyter_qguard.policy.structure import mismatches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.policy.structure import Mismatch

_MAX_PROBLEMS = 20

R = TypeVar("R", bound=msgspec.Struct)


def read_record(document: PolicyText, kind: type[R]) -> R:
    """The data of *document* as a *kind*.

    Raises
    ------
    InvalidPolicyError
        It is none.
    """
    refuse_all(document, mismatches(document.data, _shape(kind)))
    return msgspec.convert(document.data, kind)


def refuse_all(document: PolicyText, found: Iterable[Mismatch]) -> None:
    """Raise InvalidPolicyError with everything in *found*, in the order of the lines; return if there is nothing."""
    problems = [Problem(document.line(path), dotted(_named(path, text)), text) for path, text in found]
    if not problems:
        return
    problems.sort(key=lambda problem: problem.line)
    left = len(problems) - _MAX_PROBLEMS
    if left > 0:
        problems[_MAX_PROBLEMS:] = [Problem(0, "", f"and {left} more problems")]
    raise InvalidPolicyError(document.source, tuple(problems))


@lru_cache
def _shape(kind: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(kind)


def _named(path: Path, text: str) -> Path:
    """*path*, without its last step where the sentence already names that."""
    return path[:-1] if text.startswith("unknown key") else path
