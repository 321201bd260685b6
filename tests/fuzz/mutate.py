"""Breaks JSON, bytes and text at random, from a seed."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

Json = Any
"""Any JSON value, and what Python's parser also accepts."""
Path = tuple[str | int, ...]

KEYS = (
    "cells", "cell_type", "source", "outputs", "metadata", "output_type", "execution_count", "text", "data", "name",
    "evalue", "ename", "traceback", "attachments", "id", "nbformat", "nbformat_minor", "worksheets", "input", "tags",
    "text/plain", "text/html", "application/json", "image/svg+xml", "application/vnd.x+json", "widgets", "state",
    "language", "kernelspec", "", "a/b", "m~n", "0", "ключ", "\U0001f511", "columns", "index", "token", "value", "-",
)  # fmt: skip
_STRINGS = (
    "", " ", "\n", "\x00", "\ud800", "\udfff x", "\ufeff", "\u2028", "\x1b[31m", "\x1b[", "é" * 40, "\U0001f511",
    "code", "markdown", "raw", "stream", "error", "display_data", "execute_result", "=" * 300, "'\"" * 60, "f'{" * 30,
    "(" * 200, "\\" * 99, "<td>" * 50, "&#x", "&#99999999;", "%", "%zz", "eyJ", "-----BEGIN", "AAAA" * 80, "0x" + "f" * 90,
    "import os\nos.environ[", "{" * 120, "x = 'a' + \\\n", "%%writefile", "b'\\xff'", "{'a': " * 40, "```", "[redacted]",
)  # fmt: skip
_SCALARS: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**400,
    math.nan,
    math.inf,
    -math.inf,
    2**63,
    [],
    {},
    [[]],
)


def scalar(rng: Random) -> Json:
    """An odd value."""
    return rng.choice(_STRINGS) if rng.random() < 0.5 else copy.deepcopy(rng.choice(_SCALARS))


def tree(rng: Random, depth: int = 3) -> Json:
    """A random JSON tree."""
    if depth <= 0 or rng.random() < 0.3:
        return scalar(rng)
    if rng.random() < 0.5:
        return [tree(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): tree(rng, depth - 1) for _ in range(rng.randrange(4))}


def nest(value: Json, depth: int, rng: Random) -> Json:
    """*value* below *depth* levels of lists and objects."""
    for _ in range(depth):
        value = [value] if rng.random() < 0.5 else {rng.choice(KEYS): value}
    return value


def paths(node: Json, at: Path = ()) -> list[Path]:
    """Every path of a document."""
    found = [at]
    if isinstance(node, dict):
        for key, value in node.items():
            found += paths(value, (*at, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            found += paths(value, (*at, number))
    return found


def look_up(node: Json, path: Path) -> Json:
    """The value at a path."""
    for step in path:
        node = node[step]
    return node


def _grow(parent: Json, rng: Random) -> None:
    """Put something new into a container, without moving what is there."""
    if isinstance(parent, list):
        parent.append(tree(rng))
    elif isinstance(parent, dict):
        parent.setdefault(rng.choice(KEYS), tree(rng))


def mutate(document: Json, rng: Random, times: int, keep: tuple[Path, ...] = ()) -> None:
    """Change *document* in place. What lies on a path of *keep* stays where it is, with its value."""
    for _ in range(times):
        free = [path for path in paths(document) if path and not any(kept[: len(path)] == path for kept in keep)]
        if not free or rng.random() < 0.2:
            _grow(look_up(document, rng.choice(paths(document))), rng)
            continue
        path = rng.choice(free)
        parent, step = look_up(document, path[:-1]), path[-1]
        operation = rng.randrange(5)
        if operation == 0 and isinstance(parent, dict):
            del parent[step]
        elif operation == 1:
            parent[step] = nest(parent[step], rng.randrange(1, 4), rng)
        elif operation == 2 and isinstance(parent, dict):
            value = parent.pop(step)
            parent.setdefault(rng.choice(KEYS), value)
        elif operation == 3 and isinstance(parent[step], str):
            parent[step] = spoil_text(parent[step], rng)
        else:
            parent[step] = tree(rng)


def spoil_text(text: str, rng: Random) -> str:
    """Cut, repeat or soil a text."""
    for _ in range(rng.randint(1, 3)):
        at, to = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        text = rng.choice(_TEXT_OPERATIONS)(text, at, to, rng)
    return text[:20_000]


_TEXT_OPERATIONS: tuple[Callable[[str, int, int, Random], str], ...] = (
    lambda text, at, to, _: text[:at] + text[to:],
    lambda text, at, to, _: text[:to] + text[at:],
    lambda text, at, _, rng: text[:at] + rng.choice(_STRINGS) + text[at:],
    lambda text, at, _, rng: text[:at] + chr(rng.choice((0, 0x7F, 0x85, 0xD800, 0xFFFD, 0x1F511))) + text[at:],
    lambda text, at, to, rng: text[:at] + text[at:to] * rng.randint(2, 5) + text[to:],
    lambda text, at, to, _: text[:at] + text[at:to][::-1] + text[to:],
    lambda text, at, to, _: text[:at] + json.dumps(text[at:to]) + text[to:],
    lambda text, at, to, _: text[:at] + text[at:to].swapcase() + text[to:],
)


def spoil_bytes(data: bytes, rng: Random) -> bytes:
    """Flip, cut, repeat or insert bytes."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(spoilt))
        operation = rng.randrange(5)
        if operation == 0 and at < len(spoilt):
            spoilt[at] ^= 1 << rng.randrange(8)
        elif operation == 1:
            del spoilt[at : at + rng.randint(1, 40)]
        elif operation == 2:
            spoilt[at:at] = rng.choice(
                (b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"[" * 200, b'{"a":' * 90, b"NaN")
            )
        elif operation == 3:
            spoilt[at:at] = spoilt[at : at + rng.randint(1, 60)]
        else:
            spoilt[at : at + 1] = rng.choice((b'"', b"}", b"]", b",", b"1" * 5000, b"\n", b"\\"))
    return bytes(spoilt)
