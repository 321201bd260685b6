"""Redacts a notebook: copies only what it touches, keeps lists of lines, and is equal as JSON in all else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.redact.text import Located, apply_marks, marks

_Spans = list[tuple[int, int, str]]


class _Node:
    """What must change at or below one place of the document."""

    __slots__ = ("children", "key_spans", "spans")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.spans: _Spans = []
        self.key_spans: _Spans = []
        """Spans in the key under which this node hangs."""


def redact_notebook(document: Mapping[str, Any], findings: Iterable[Located]) -> dict[str, Any]:
    """A copy of *document* without what the findings say.

    Raises
    ------
    GuardFailureError
        A pointer leads nowhere: the findings are of another document.
    """
    root = _Node()
    for finding in findings:
        node = root
        for step in finding.pointer.split("/")[1:]:
            node = node.children.setdefault(step.replace("~1", "/").replace("~0", "~"), _Node())
        (node.key_spans if finding.in_key else node.spans).extend(marks([finding]))
    redacted = _redact(document, root)
    if not isinstance(redacted, dict):
        _lost()
    return redacted  # type: ignore[no-any-return] # a dict, as was checked


def _redact(value: Any, node: _Node) -> Any:  # noqa: ANN401 - any JSON value
    if node.spans:
        return _redact_string(value, node.spans)
    if not node.children:
        return value
    if isinstance(value, Mapping):
        return _redact_object(value, node)
    if isinstance(value, (list, tuple)):
        items = list(value)
        for step, child in node.children.items():
            if not step.isdigit() or int(step) >= len(items):
                _lost()
            items[int(step)] = _redact(items[int(step)], child)
        return items
    return _lost()


def _redact_object(value: Mapping[Any, Any], node: _Node) -> dict[Any, Any]:
    """An object whose keys may hold secrets too: pointers name such a key as it is *after* redaction."""
    renamed = {
        after: child for after, child in node.children.items() if child.key_spans
    }
    out: dict[Any, Any] = {}
    met = 0
    for key, item in value.items():
        child = node.children.get(str(key))
        new_key = key
        if renamed and isinstance(key, str):
            for after, candidate in renamed.items():
                if apply_marks(key, candidate.key_spans) == after:
                    child, new_key = candidate, after
                    break
        met += child is not None
        out[_free(new_key, out)] = item if child is None else _redact(item, child)
    if met < len(node.children):
        _lost()
    return out


def _free(key: Any, taken: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - JSON keys, or a caller's own
    """A key not taken yet: two secrets of one rule as keys of one object must not swallow one another."""
    if key not in taken:
        return key
    number = 2
    while f"{key} ({number})" in taken:
        number += 1
    return f"{key} ({number})"


def _redact_string(value: object, spans: _Spans) -> str | list[str]:
    if isinstance(value, str):
        return apply_marks(value, spans)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return _redact_lines(value, spans)
    return _lost()


def _redact_lines(lines: list[str], spans: _Spans) -> list[str]:
    """Redact text that is kept as a list: each line stays an item; a mark stands where its span began."""
    out = []
    start = 0
    ordered = sorted(spans)
    for line in lines:
        end = start + len(line)
        inside = [
            (max(low, start) - start, min(high, end) - start, mark if low >= start else "")
            for low, high, mark in ordered
            if low < end and high > start
        ]
        out.append(apply_marks(line, inside))
        start = end
    return out


def _lost() -> Any:  # noqa: ANN401 - never returns
    message = "a finding points at nothing in this document"
    raise GuardFailureError(message)
