"""Parses a cell: as a whole, or, if it is incomplete or broken, statement by statement."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.literal import Reader
from jupyter_qguard.scan.fold.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG_NUMBER = re.compile(r"[0-9]{4300}")
"""Longer numbers take quadratic time to read before Python 3.11, and are refused since."""
_STEP = re.compile(r"\\\r?\n|\r\n|\r|\n|[()\[\]{}]|#[^\r\n]*|(?:\b[rRbBuUfFtT]{1,2})?[\"']")
_STATEMENT = re.compile(
    r"(?:import|from|def|class|for|while|with|if|try|return|async|del|raise|assert)\b|@\w|[A-Za-z_][\w.]*[ \t]+=[ \t]"
)
"""What starts a statement even within brackets that somebody forgot to close."""
_NO_START = re.compile(r"[ \t\f\r\n)\]}#+*/%&|^.,;:=<>]|(?:else|elif|except|finally)\b|\Z")
_OPEN_END = re.compile(r"[+\-*/%,=&|<>.(\\][ \t]*(?:\r\n|\r|\n)\Z")
_INDENTED = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*[ \t]+\S")
_WRAPPER = "if 1:\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of statements; no body for one that cannot be parsed."""

    start: int
    end: int
    body: list[ast.stmt] | None
    positions: Positions


def read_chunks(text: str) -> Iterator[Chunk]:
    """The statements of *text* in order, in as few chunks as it takes."""
    start = 1 if text.startswith("\ufeff") else 0
    whole = _chunk(text, start, len(text))
    if whole.body is not None:
        yield whole
        return
    cuts = [start, *_cuts(text, start), len(text)]
    if len(cuts) == 2:
        yield whole
        return
    broken = start
    for low, high in pairwise(cuts):
        chunk = _chunk(text, low, high)
        if chunk.body is None:
            continue
        if broken < low:
            yield Chunk(broken, low, None, chunk.positions)
        yield chunk
        broken = high
    if broken < len(text):
        yield Chunk(broken, len(text), None, whole.positions)


def _chunk(text: str, start: int, end: int) -> Chunk:
    """Parse ``text[start:end]``, also if all of it is indented, which IPython takes."""
    part = text[start:end]
    body = _parse(part)
    if body is None and _INDENTED.match(part):
        part = _WRAPPER + part
        wrapped = _parse(part)
        if wrapped is not None and isinstance(wrapped[0], ast.If):
            return Chunk(start, end, [*wrapped[0].body, *wrapped[1:]], Positions(part, start - len(_WRAPPER)))
    return Chunk(start, end, body, Positions(part, start))


def _parse(text: str) -> list[ast.stmt] | None:
    if _LONG_NUMBER.search(text):
        return None
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError, SystemError):
        return None


def _cuts(text: str, at: int) -> Iterator[int]:
    """Offsets at which statements of the outermost level start, by the tokens before them."""
    reader = Reader(text)
    depth = 0
    decorated = text.startswith("@", at)
    line = at
    while True:
        step = _STEP.search(text, at)
        if step is None:
            return
        found, at = step.group(), step.end()
        if found[-1] in "\"'":
            literal = reader.read(step.start(), len(text))
            at = literal.end if literal else at
        elif found in "([{":
            depth += 1
        elif found in ")]}":
            depth = max(0, depth - 1)
        elif found[0] in "\r\n":
            starts = _STATEMENT.match(text, at) if depth else not _NO_START.match(text, at)
            if starts and (depth or not _OPEN_END.search(text, max(line, at - 80), at)):
                depth = 0
                if not decorated:
                    yield at
                decorated = text.startswith("@", at)
            line = at
