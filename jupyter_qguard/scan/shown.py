"""Tells whether a cell's code shows the value of a name: prints it, or ends with it."""

from __future__ import annotations

import re

_PRINT = re.compile(
    r"(?:\b(?:print|display|pprint|repr|echo|cat|logger?\.\w+|logging\.\w+|sys\.std\w+\.write)\b|[!%]\s*(?:echo|env|printenv))[^\n]*\Z"
)
_BLANK = re.compile(r"\s*\Z")
_REACH = 512
"""Code points of a line that are looked at on each side of a name."""
_EXPRESSION = re.compile(r"[\w.\[\]()'\"$ ,{}]*\Z")


def is_shown(text: str, low: int, high: int, start: int, end: int) -> bool:
    """Whether ``text[start:end]``, a name in the code ``text[low:high]``, is printed or is the cell's result."""
    line_start = max(text.rfind("\n", max(low, start - _REACH), start) + 1, low, start - _REACH)
    before = text[line_start:start]
    if _PRINT.search(before):
        return True
    line_end = text.find("\n", end, min(high, end + _REACH))
    line_end = min(high, end + _REACH) if line_end < 0 else line_end
    if _BLANK.match(text, line_end, high) is None:
        return False
    after = text[end:line_end]
    return _EXPRESSION.match(before) is not None and _EXPRESSION.match(after) is not None
