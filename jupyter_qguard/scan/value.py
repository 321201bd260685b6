"""Reads one value as it is written in code, configuration and prose: with or without quotes, or wrapped in a call."""

from __future__ import annotations

import re

LONGEST_VALUE = 8192
_WRAPPER = re.compile(
    r"(?P<function>[A-Za-z_][A-Za-z0-9_.]{0,60})\(\s*(?:(?:default|value|secret|secret_value|default_value|data)\s*=\s*)?"
    r"(?=[rRbBuUfF]{0,2}[\"'])"
)
_ASKS = re.compile(
    r"(?:getenv|get|getpass|input|prompt|ask|text_input|open|Path|join|config|lookup|exists|require\w*|(?:get|read|load|fetch)_\w+)\Z"
)
"""Functions whose argument names or asks for the value and is not the value."""
_QUOTE = re.compile(r"[rRbBuUfF]{0,2}(\\{0,4})(\"\"\"|'''|[\"'`])|()(&quot;|&\#39;|\*\*)")
BARE = re.compile(r"[^\s\"'`,;&|<>()\[\]{}\\]+")
_KEYWORD = re.compile(r"[+-]?(?:export[ ])?[A-Za-z_][A-Za-z0-9_]{0,40}=[^=]|--?[A-Za-z]")


def read_value(text: str, at: int, high: int, *, quoted_only: bool, ends: str = "") -> tuple[int, int, bool] | None:
    """Span of the value at *at*, without its quotes, and whether it had any."""
    wrapper = _WRAPPER.match(text, at, high)
    if wrapper:
        if _ASKS.search(wrapper.group("function")):
            return None
        at = wrapper.end()
    quote = _QUOTE.match(text, at, high)
    if quote is not None:
        closing = (quote.group(1) or "") + (quote.group(2) or quote.group(4))
        stop = text.find(closing, quote.end(), min(high, quote.end() + LONGEST_VALUE))
        if stop < 0:  # cut off: an output that was truncated inside of the value
            stop = BARE.match(text, quote.end(), high).end() if BARE.match(text, quote.end(), high) else quote.end()  # type: ignore[union-attr]
        return (quote.end(), stop, True) if stop > quote.end() else None
    if quoted_only:
        return None
    bare = BARE.match(text, at, min(high, at + LONGEST_VALUE))
    if bare is None:
        return None
    stop = bare.end()
    while stop > at and text[stop - 1] in ends:
        stop -= 1
    if stop <= at or _KEYWORD.match(text, at, stop) or text.startswith("...", stop):
        return None
    return at, stop, False
