"""A team's own regular expressions: only those whose work is bounded, whatever the text.

The scanner runs them on notebooks that anybody can write, with an engine that tries one way of matching after the
other. So the number of ways in which a pattern can match from one position is computed here, and a pattern that has
more than :data:`MAX_WAYS` is refused: the work is then at most that number times the pattern's width for each
character of text. For the same reason ``+``, ``*`` and ``{n,}`` get an upper limit of :data:`MAX_REPEAT`. Look-around,
back references, lazy repeats and flags are refused, which keeps the patterns readable by automaton engines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_WAYS = 20_000
"""``[A-Z]+-[0-9]*`` has 10 100; nested repeats have millions."""
MAX_REPEAT = 100
"""What an open repeat goes up to."""
_MAX_LENGTH = 500
_MIN_WIDTH = 4
"""What is shorter matches by chance in every notebook."""
_MAX_WIDTH = 1000
_MAX_DEPTH = 10
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_SET_OPERATION = re.compile(r"\[|--|&&|~~|\|\|")
"""What Python may one day read as an operation on sets."""
_BOUNDS = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}")
_LETTER_ESCAPES = "dwsDWSnt"


class PatternError(ValueError):
    """A regular expression that a policy may not have; says why and what to write instead."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a part of a pattern: in how many ways it can match from one position, and how many characters it takes."""

    ways: int
    shortest: int
    longest: int


_NOTHING = _Size(1, 0, 0)
_CHARACTER = _Size(1, 1, 1)


def join_patterns(patterns: Sequence[str]) -> str:
    """One expression that finds whatever one of *patterns* finds.

    Raises
    ------
    PatternError
        One of them, or all together, is not of bounded work; the message names it by its number, from 1.
    """
    ways, limited = 0, []
    for number, pattern in enumerate(patterns, 1):
        try:
            size, text = _check(pattern)
        except PatternError as error:
            message = f"pattern {number}: {error}" if len(patterns) > 1 else str(error)
            raise PatternError(message) from None
        ways += size.ways
        limited.append(text)
    if ways > MAX_WAYS:
        _fail(f"together the patterns can match in {ways} ways from one position, more than {MAX_WAYS}")
    return "|".join(f"(?:{text})" for text in limited)


def _check(pattern: str) -> tuple[_Size, str]:
    """The size of *pattern*, and *pattern* with a limit on every repeat."""
    if len(pattern) > _MAX_LENGTH:
        _fail(f"longer than {_MAX_LENGTH} characters")
    reader = _Reader(pattern)
    size = reader.alternatives(0)
    if reader.position < len(pattern):
        _fail(f"unbalanced `)` at {reader.position}")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        _fail(f"not a regular expression: {error}")
    if size.shortest < _MIN_WIDTH:
        _fail(f"it can match {size.shortest} characters; fewer than {_MIN_WIDTH} are found everywhere by chance")
    if size.longest > _MAX_WIDTH:
        _fail(f"it can match {size.longest} characters, more than {_MAX_WIDTH}")
    if size.ways > MAX_WAYS:
        _fail(
            f"it can match in {size.ways} ways from one position, more than {MAX_WAYS}: "
            f"give the repeats smaller upper limits"
        )
    return size, reader.limited()


class _Reader:
    """Recursive descent over the syntax that is allowed."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._limits: list[tuple[int, int, str]] = []
        self.position = 0

    def limited(self) -> str:
        """The pattern with an upper limit for each open repeat."""
        text = self._pattern
        for start, end, limit in reversed(self._limits):
            text = f"{text[:start]}{limit}{text[end:]}"
        return text

    def alternatives(self, depth: int) -> _Size:
        """Everything up to a closing parenthesis or the end."""
        if depth > _MAX_DEPTH:
            _fail(f"groups nested deeper than {_MAX_DEPTH}")
        branches = [self._branch(depth)]
        while self._take("|"):
            branches.append(self._branch(depth))
        return _Size(
            sum(branch.ways for branch in branches),
            min(branch.shortest for branch in branches),
            max(branch.longest for branch in branches),
        )

    def _branch(self, depth: int) -> _Size:
        size = _NOTHING
        while self.position < len(self._pattern) and self._pattern[self.position] not in "|)":
            part = self._repeated(self._atom(depth))
            size = _Size(
                _capped(size.ways * part.ways), size.shortest + part.shortest, _capped(size.longest + part.longest)
            )
        return size

    def _atom(self, depth: int) -> _Size:
        char = self._pattern[self.position]
        if char == "(":
            return self._group(depth)
        if char == "[":
            found = _CLASS.match(self._pattern, self.position)
            if not found:
                _fail(f"the `[` at {self.position} is not closed")
            if _SET_OPERATION.search(_ESCAPE.sub("", found[0][1:-1])):
                _fail(f"the set at {self.position}: put a backslash before `[` and before doubled signs in it")
            self.position = found.end()
            return _CHARACTER
        if char == "\\":
            return self._escape()
        if char in "^$":
            _fail(f"the anchor `{char}` at {self.position}: patterns are found anywhere; for a word's end write `\\b`")
        if char in "*+?{":
            _fail(f"nothing to repeat at {self.position}" if char != "{" else f"write `\\{{` at {self.position}")
        self.position += 1
        return _CHARACTER

    def _group(self, depth: int) -> _Size:
        start = self.position
        if not self._pattern.startswith("(?:", start):
            _fail(f"the group at {start}: write `(?:…)`; look-around, names, flags and references are not allowed")
        self.position += len("(?:")
        size = self.alternatives(depth + 1)
        if not self._take(")"):
            _fail(f"the group at {start} is not closed")
        return size

    def _escape(self) -> _Size:
        char = self._pattern[self.position + 1 : self.position + 2]
        if char == "b":
            self.position += 2
            return _NOTHING
        if not char or (char.isalnum() and char not in _LETTER_ESCAPES):
            _fail(f"the escape `\\{char}` at {self.position} is not allowed")
        self.position += 2
        return _CHARACTER

    def _repeated(self, item: _Size) -> _Size:
        start = self.position
        low, high = self._bounds()
        if self.position == start:
            return item
        if self._pattern[self.position : self.position + 1] in ("?", "+", "*", "{"):
            _fail(f"a second repeat at {self.position}: lazy, possessive and doubled repeats are not allowed")
        ways, power = 0, _capped(item.ways**low) if item.ways > 1 else 1
        for _ in range(low, high + 1):
            ways = _capped(ways + power)
            power = _capped(power * item.ways)
        return _Size(ways, item.shortest * low, _capped(item.longest * high))

    def _bounds(self) -> tuple[int, int]:
        """How often the part before may stand, with the position moved behind the repeat; (1, 1) without one."""
        start = self.position
        char = self._pattern[start : start + 1]
        if char and char in "?*+":
            self.position += 1
            low, high = int(char == "+"), 1 if char == "?" else None
        else:
            bounds = _BOUNDS.match(self._pattern, start)
            if not bounds:
                return 1, 1
            self.position = bounds.end()
            low = int(bounds[1])
            high = low if not bounds[2] else int(bounds[3]) if bounds[3] else None
        if high is None:
            high = max(low, MAX_REPEAT)
            self._limits.append((start, self.position, f"{{{low},{high}}}"))
        if high < low:
            _fail(f"the repeat at {start} has its limits the wrong way round")
        return low, high

    def _take(self, char: str) -> bool:
        found = self._pattern.startswith(char, self.position)
        self.position += found
        return found


def _capped(number: int) -> int:
    """*number*, or one that is beyond every limit: nested repeats grow without bound."""
    return min(number, 1_000_000)


def _fail(problem: str) -> NoReturn:
    raise PatternError(problem)
