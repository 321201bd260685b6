"""Reads the part of YAML that catalogue files are written in, and remembers on which line each key stands.

Mappings, lists, text, whole numbers, ``true``, ``false`` and ``null``: what YAML would guess from a bare word (dates,
floats, ``yes`` and ``no``) is an error that asks for quotes, and a key that stands twice is an error too.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from jupyter_qguard.errors import GuardFailureError

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: fifteen times as fast, and the catalogue is read at every start."""
_TAG = "tag:yaml.org,2002:"
_WORDS = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]")


class Document:
    """A parsed file: its data, and the lines they come from."""

    __slots__ = ("_root", "data", "name")

    def __init__(self, name: str, content: bytes) -> None:
        """Parse *content*; *name* is what errors call the file.

        Raises
        ------
        GuardFailureError
            *content* is no YAML, more than one document, or uses more of YAML than the catalogue allows.
        """
        self.name = name
        try:
            self._root: Any = yaml.compose(content, Loader=_LOADER)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{name}:{mark.line + 1}" if mark else name
            problem = getattr(error, "problem", None) or "the file is not readable as UTF-8 text"
            message = f"{where}: not valid YAML: {problem}"
            raise GuardFailureError(message) from None
        if self._root is None:
            message = f"{name}: the file is empty"
            raise GuardFailureError(message)
        self.data = self._value(self._root, set())

    def line(self, path: str) -> int:
        """The line, from 1, of what *path* (``$.rules[0].calls[1]``) names, or of the nearest thing around it."""
        node, line = self._root, self._root.start_mark.line
        for key, index in _STEP.findall(path):
            mark, node = _part(node, key, index)
            if node is None:
                break
            line = mark.line
        return int(line) + 1

    def _value(self, node: Any, seen: set[int]) -> Any:
        if id(node) in seen:
            raise self._refusal(node, "anchors and aliases are not allowed: write the value out")
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, seen)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, seen) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: Any, seen: set[int]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag != f"{_TAG}str":
                raise self._refusal(key_node, "a key must be text")
            if key in result:
                raise self._refusal(key_node, f"the key `{key}` stands twice")
            result[key] = self._value(value_node, seen)
        return result

    def _scalar(self, node: Any) -> str | int | bool | None:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if kind == "str":
            return text
        if kind in ("bool", "null") and text in _WORDS:
            return _WORDS[text]
        if kind == "int" and _NUMBER.fullmatch(text):
            return int(text)
        raise self._refusal(node, f"`{text}` would be read as {kind}: put it in quotes")

    def _refusal(self, node: Any, problem: str) -> GuardFailureError:
        return GuardFailureError(f"{self.name}:{node.start_mark.line + 1}: {problem}")


def _part(node: Any, key: str, index: str) -> tuple[Any, Any]:
    """Where the part of *node* under *key* or at *index* begins, and the part itself; twice None if there is none."""
    if isinstance(node, yaml.MappingNode) and key:
        return next(((name.start_mark, value) for name, value in node.value if name.value == key), (None, None))
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        item = node.value[int(index)]
        return item.start_mark, item
    return None, None
