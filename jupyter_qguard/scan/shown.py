"""Tells whether a cell's code shows the value of a name: prints it, or ends with it."""

from __future__ import annotations

import re

_PRINT = re.compile(
    r"(?:\b(?:print|display|pprint|repr|echo|cat|logger?\.\w+|logging\.\w+|sys\.std\w+\.write)\b|[!%]\s*(?:echo|env|printenv))[^\n]*\Z"
)
_EXPRESSION = re.compile(r"[\w.\[\]()'\"$ ,{}]*\Z")


def is_shown(text: str, low: int, high: int, start: int, end: int) -> bool:
    """Whether ``text[start:end]``, a name in the code ``text[low:high]``, is printed or is the cell's result."""
    line_start = max(text.rfind("\n", low, start) + 1, low)
    before = text[line_start:start]
    if _PRINT.search(before):
        return True
    line_end = text.find("\n", end, high)
    line_end = high if line_end < 0 else line_end
    if text[line_end:high].strip():
        return False
    after = text[end:line_end]
    return _EXPRESSION.match(before) is not None and _EXPRESSION.match(after) is not None
