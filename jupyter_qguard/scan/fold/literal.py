"""Finds string literals, their prefixes and the replacement fields of formatted ones, by characters alone.

Syntax: Python language reference, "String and Bytes literals" and "f-strings". Offsets are those of the whole source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = re.compile(r"([rRbBuUfFtT]{0,2})(\"\"\"|'''|\"|')")
_CLOSING = {
    "'": re.compile(r"[^'\\\r\n]*(?:\\(?:\r\n|[\s\S])[^'\\\r\n]*)*'"),
    '"': re.compile(r'[^"\\\r\n]*(?:\\(?:\r\n|[\s\S])[^"\\\r\n]*)*"'),
    "'''": re.compile(r"[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''"),
    '"""': re.compile(r'[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""'),
}
_GLUE = re.compile(r"(?:[ \t\f\r\n]+|\\\r?\n|#[^\r\n]*)*")
_FORMATTED = {
    (quote, raw): re.compile(
        (r"" if raw else r"\\N\{[^{}]*\}|")
        + r"\\(?:\r\n|[^{}])|\\|\{\{|\}\}|[{}]|"
        + (quote if len(quote) == 3 else r"[\r\n]|" + quote),
        re.DOTALL,
    )
    for quote in _CLOSING
    for raw in (False, True)
}
_IN_FIELD = re.compile(r"(?:\b[rRbBuUfFtT]{1,2})?(?:\"\"\"|'''|\"|')|!=|[()\[\]{}:!#]")
_CONVERSION = re.compile(r"!\s*([rsa])\s*(?=[:}])")
_IN_SPEC = re.compile(r"[{}]")
_LINE_END = re.compile(r"[\r\n]")
_DEPTH = 20
"""Formatted literals nested deeper than this are not read. Python 3.12 allows 150."""


@dataclass(frozen=True, slots=True)
class Field:
    """A replacement field ``{expression!conversion:spec}``."""

    start: int
    end: int
    expression_start: int
    expression_end: int
    conversion: str
    spec_start: int
    spec_end: int


Chunk = tuple[int, int]
"""Literal characters ``[start, end)`` of a formatted literal; doubled braces are already halved."""


@dataclass(frozen=True, slots=True)
class Literal:
    """One string literal, from its prefix to its closing quote."""

    start: int
    body_start: int
    body_end: int
    end: int
    prefix: str
    parts: tuple[Chunk | Field, ...] | None = None
    """What a formatted literal consists of, None for others."""

    @property
    def raw(self) -> bool:
        """Whether backslashes stand for themselves."""
        return "r" in self.prefix

    @property
    def binary(self) -> bool:
        """Whether this is a bytes literal."""
        return "b" in self.prefix


def read_literals(source: str, start: int, end: int) -> list[Literal] | None:
    """The adjacent literals that fill ``source[start:end]``; None if there is anything else in it."""
    found: list[Literal] = []
    at = start
    while at < end:
        literal = read_literal(source, at, end)
        if literal is None:
            return None
        found.append(literal)
        at = skip_glue(source, literal.end, end)
    return found or None


def read_literal(source: str, at: int, limit: int, depth: int = 0) -> Literal | None:
    """The literal that starts at *at*, None if there is none, or it is not closed before *limit*."""
    opening = _OPENING.match(source, at, limit)
    if opening is None:
        return None
    prefix, quote = opening.group(1).lower(), opening.group(2)
    body = opening.end()
    if "f" in prefix or "t" in prefix:
        if depth > _DEPTH:
            return None
        return _read_formatted(source, at, body, limit, prefix, quote, depth)
    closing = _CLOSING[quote].match(source, body, limit)
    if closing is None:
        return None
    return Literal(at, body, closing.end() - len(quote), closing.end(), prefix)


def skip_glue(source: str, at: int, limit: int) -> int:
    """The next offset that is no white space, comment or line continuation."""
    match = _GLUE.match(source, at, limit)
    return match.end() if match else at


def _read_formatted(
    source: str, start: int, body: int, limit: int, prefix: str, quote: str, depth: int
) -> Literal | None:
    parts: list[Chunk | Field] = []
    pattern = _FORMATTED[quote, "r" in prefix]
    begin = at = body
    while True:
        match = pattern.search(source, at, limit)
        if match is None:
            return None
        found = match.group()
        at = match.end()
        if found[0] == "\\":
            continue
        if found in ("{{", "}}"):
            parts.append((begin, match.start() + 1))
            begin = at
        elif found == "{":
            field = _read_field(source, at, limit, depth)
            if field is None:
                return None
            parts += [(begin, match.start()), field]
            begin = at = field.end
        elif found in "}\r\n":
            return None
        else:
            parts.append((begin, match.start()))
            return Literal(start, body, match.start(), at, prefix, tuple(parts))


def _read_field(source: str, begin: int, limit: int, depth: int) -> Field | None:
    """The field whose expression starts at *begin*, directly after its brace."""
    at, nesting = begin, 0
    while True:
        match = _IN_FIELD.search(source, at, limit)
        if match is None:
            return None
        found, at = match.group(), match.end()
        if found[-1] in "'\"":
            literal = read_literal(source, match.start(), limit, depth + 1)
            if literal is None:
                return None
            at = literal.end
        elif found in "([{":
            nesting += 1
        elif nesting and found in ")]}":
            nesting -= 1
        elif not nesting and found in ("}", ":", "!"):
            return _end_field(source, begin, match.start(), limit, depth)
        elif found in ")]#":
            return None


def _end_field(source: str, begin: int, end: int, limit: int, depth: int) -> Field | None:
    """The field whose expression is ``[begin, end)``: reads its conversion and format specification."""
    conversion, at = "", end
    match = _CONVERSION.match(source, at, limit)
    if match:
        conversion, at = match.group(1), match.end()
    if source[at : at + 1] == "}":
        return Field(begin - 1, at + 1, begin, end, conversion, at, at)
    if source[at : at + 1] != ":" or depth > _DEPTH:
        return None
    spec = at = at + 1
    while True:
        brace = _IN_SPEC.search(source, at, limit)
        if brace is None:
            return None
        if brace.group() == "}":
            return Field(begin - 1, brace.end(), begin, end, conversion, spec, brace.start())
        inner = _read_field(source, brace.end(), limit, depth + 1)
        if inner is None:
            return None
        at = inner.end


class Reader:
    """Reads literals of text that need not be Python, in time linear in its length."""

    def __init__(self, source: str) -> None:
        """Read from *source*, in ascending order of offsets."""
        self._source = source
        self._unclosed: dict[str, int] = {}

    def read(self, at: int, limit: int) -> Literal | None:
        """The literal at *at*, None if there is none or it is not closed.

        A quote that is not closed on its line (in the text, for three of them) is not tried again there: all later
        ones are escaped. A formatted literal with a broken field is read as a plain one.
        """
        opening = _OPENING.match(self._source, at, limit)
        if opening is None or at < self._unclosed.get(opening.group(2), 0):
            return None
        literal = read_literal(self._source, at, limit)
        if literal is not None:
            return literal
        quote = opening.group(2)
        closing = _CLOSING[quote].match(self._source, opening.end(), limit)
        if closing:
            return Literal(at, opening.end(), closing.end() - len(quote), closing.end(), opening.group(1).lower())
        line_end = _LINE_END.search(self._source, opening.end(), limit) if len(quote) == 1 else None
        self._unclosed[quote] = line_end.start() if line_end else limit
        return None
