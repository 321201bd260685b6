"""Redacts a notebook: copies only what it touches, keeps lists of lines, and is equal as JSON in all else."""

from __future__ import annotations

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
        raise _nowhere()
    return redacted


def _redact(value: Any, node: _Node) -> Any:
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
                raise _nowhere()
            items[int(step)] = _redact(items[int(step)], child)
        return items
    raise _nowhere()


def _redact_object(value: Mapping[Any, Any], node: _Node) -> dict[Any, Any]:
    """An object whose keys may hold secrets too: pointers name such a key as it is *after* redaction.

    Two keys can come to the same text then; the later ones are numbered, as the scanner's pointers number them.
    """
    renamed = {after: child for after, child in node.children.items() if child.key_spans}
    out: dict[Any, Any] = {}
    met = 0
    for key, item in value.items():
        child, new_key = _child(key, node, renamed)
        met += child is not None
        out[new_key] = item if child is None else _redact(item, child)
    if met < len(node.children) or len(out) < len(value):
        raise _nowhere()
    return out


def _child(key: Any, node: _Node, renamed: dict[str, _Node]) -> tuple[_Node | None, Any]:
    """What must change at or below a key, and the key's new text. A renamed child is given out once."""
    for after, candidate in renamed.items():
        if isinstance(key, str) and any(end <= len(key) for _, end, _ in candidate.key_spans):
            base = apply_marks(key, candidate.key_spans)
            if after == base or (after.startswith(base + " (") and after[len(base) + 2 : -1].isdigit()):
                return renamed.pop(after), after
    if str(key) in renamed:
        return None, key
    child = node.children.get(str(key))
    return (None, key) if child is not None and child.key_spans else (child, key)


def _redact_string(value: object, spans: _Spans) -> str | list[str]:
    if isinstance(value, str):
        return apply_marks(value, spans)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return _redact_lines(value, spans)
    raise _nowhere()


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


def _nowhere() -> GuardFailureError:
    return GuardFailureError("a finding points at nothing in this document")
