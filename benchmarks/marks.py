"""Marks that travel with a planted secret while a notebook is built around it, and the truth read from them.

A place writes ordinary strings. Where it writes a secret, the secret stands between two private-use characters, so
that no offset has to be counted by hand; :func:`harvest` takes the marks out of the finished document and says where
they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MAX_SECRETS = 16
"""How many different secrets one notebook may hold."""
_OPEN = 0xE000
_CLOSE = 0xE100
_CORE_OPEN = "\ue200"
_CORE_CLOSE = "\ue201"
_MARK = re.compile("[\ue000-\ue0ff\ue100-\ue1ff\ue200\ue201]")
_PIECES = re.compile("([\ue000-\ue0ff\ue100-\ue1ff\ue200\ue201])")

Span = tuple[int, int]


class Lines(list[str]):
    """A string kept as a list of lines, as nbformat stores source and text: one string as far as pointers go."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One string of a document that holds (a part of) a planted secret."""

    secret: int
    """Which of the notebook's secrets, from 0."""
    pointer: str
    """JSON pointer of the string or list of lines; of the containing object where ``in_key``."""
    spans: tuple[Span, ...]
    """Code points that belong to the secret, one span a part."""
    cores: tuple[Span, ...]
    """The least that must go where more than one cut is right (the key inside a connection string); else empty."""
    in_key: bool
    text: str
    """The whole string that holds it."""

    @property
    def raw(self) -> str:
        """The parts as they stand in the string."""
        return "".join(self.text[start:end] for start, end in self.spans)


def mark(value: str, secret: int = 0) -> str:
    """Mark *value* as a secret; ``<<`` and ``>>`` inside become the marks of its core."""
    return chr(_OPEN + secret) + value.replace("<<", _CORE_OPEN).replace(">>", _CORE_CLOSE) + chr(_CLOSE + secret)


def unmark(text: str) -> str:
    """*text* without any mark."""
    return _MARK.sub("", text)


def mapped(text: str, encode: Callable[[str], str]) -> str:
    """*text* encoded piece by piece, the marks kept where they are."""
    return "".join(piece if _MARK.fullmatch(piece) else encode(piece) for piece in _PIECES.split(text) if piece)


def parts(text: str, cuts: tuple[int, ...], secret: int = 0) -> list[str]:
    """Cut a marked value into marked parts at offsets of its plain text."""
    plain = unmark(text)
    edges = (0, *cuts, len(plain))
    return [mark(plain[start:end], secret) for start, end in pairwise(edges)]


def harvest(document: Any) -> tuple[Any, list[Occurrence]]:
    """The document without marks, and where they were."""
    found: list[Occurrence] = []
    return _harvest(document, "", found), found


def _harvest(node: Any, pointer: str, found: list[Occurrence]) -> Any:
    if isinstance(node, str):
        return _read(node, pointer, found, in_key=False)
    if isinstance(node, Lines):
        _read("".join(node), pointer, found, in_key=False)
        return [unmark(line) for line in node]
    if isinstance(node, dict):
        made = {}
        for key, value in node.items():
            plain = _read(key, pointer, found, in_key=True)
            step = plain.replace("~", "~0").replace("/", "~1")
            made[plain] = _harvest(value, f"{pointer}/{step}", found)
        return made
    if isinstance(node, list):
        return [_harvest(item, f"{pointer}/{number}", found) for number, item in enumerate(node)]
    return node


def _read(text: str, pointer: str, found: list[Occurrence], *, in_key: bool) -> str:
    opened: dict[int, int] = {}
    spans: dict[int, list[Span]] = {}
    cores: list[Span] = []
    core = 0
    for before, match in enumerate(_MARK.finditer(text)):
        at = match.start() - before
        code = ord(match.group())
        if match.group() == _CORE_OPEN:
            core = at
        elif match.group() == _CORE_CLOSE:
            cores.append((core, at))
        elif code < _CLOSE:
            opened[code - _OPEN] = at
        else:
            spans.setdefault(code - _CLOSE, []).append((opened.pop(code - _CLOSE), at))
    plain = unmark(text)
    for secret, runs in spans.items():
        inside = tuple(c for c in cores if any(s <= c[0] and c[1] <= e for s, e in runs))
        found.append(Occurrence(secret, pointer, tuple(runs), inside, in_key, plain))
    return plain
