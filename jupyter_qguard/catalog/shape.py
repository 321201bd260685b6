"""What a rule's ``shape`` may be: a regular expression that every engine reads alike.

The scanner compiles shapes for Hyperscan, joins them with context and asks for exact spans. So a shape describes the
whole value and nothing beside it, and takes no part of the syntax that engines differ in.
"""

from __future__ import annotations

import functools
import re
import warnings

_PART = re.compile(
    r"\\(?P<escape>.)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<group>\((?:\?[:a-zA-Z<!=#(>P-]?)?)"
    r"|(?P<repeat>(?:[*+?]|\{[0-9]*,?[0-9]*\})[?+])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_BOUNDARY = re.compile(r"(?:[A-Za-z0-9_./+=~%&:@-]|\\[\]\\^-])+")
_PLAIN_CLASSES = "dws"
_SET_OPERATOR = re.compile(r"&&|--|~~|\|\||(?<!\\)\[")
"""Inside of a character class: Rust and newer engines subtract and intersect by these, Python and Hyperscan do not."""


@functools.cache
def bounded(shape: str, boundary: str) -> re.Pattern[str]:
    """A pattern that finds *shape* where no character of *boundary* stands directly before or after.

    Raises
    ------
    ValueError
        *shape* or *boundary* is not what a rule may have; the message says why.
    """
    if not _BOUNDARY.fullmatch(boundary) or _SET_OPERATOR.search(boundary):
        message = f"boundary `{boundary}` is not the inside of a character class"
        raise ValueError(message)
    _check_syntax(shape)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python warns of, it will read in another way one day
            pattern = re.compile(f"(?<![{boundary}])(?:{shape})(?![{boundary}])")
            matches_nothing = re.compile(shape).fullmatch("") is not None
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        message = f"shape is not a regular expression: {error}"
        raise ValueError(message) from None
    if matches_nothing:
        message = "shape matches the empty string"
        raise ValueError(message)
    return pattern


def _check_syntax(shape: str) -> None:
    for part in _PART.finditer(shape):
        problem = _problem(part)
        if problem:
            message = f"shape has {problem} at {part.start()}"
            raise ValueError(message)


def _problem(part: re.Match[str]) -> str:
    escape, text = part["escape"], part[0]
    if escape and escape.isalnum() and escape not in _PLAIN_CLASSES:
        return f"the escape `{text}`: anchors, boundaries, references and engine-specific classes are not allowed"
    if part["other"] and text in "^$":
        return f"the anchor `{text}`: it describes the whole value anyway; `boundary` says what may not stand beside it"
    if part["group"] and text == "(":
        return "a capturing group: write `(?:…)`"
    if part["group"] and text != "(?:":
        return f"`{text}`: flags, names and look-around are not allowed"
    if part["set"] and _SET_OPERATOR.search(text, 1):
        return f"the class `{text}`: `[`, `&&`, `--`, `~~` and `||` inside of it must be escaped or taken apart"
    if part["repeat"]:
        return f"the lazy or possessive repeat `{text}`"
    return ""
