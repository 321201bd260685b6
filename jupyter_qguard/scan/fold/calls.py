"""Functions that make strings, bytes and containers, done to constants. A call is known by the end of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import (
    ITEM_LIMIT,
    NOTHING,
    Constant,
    Kind,
    decoded,
    mapping,
    number,
    runs_of,
    sequence,
    string,
)
from jupyter_qguard.scan.fold.containers import elements, updated
from jupyter_qguard.scan.fold.encodings import DECODERS, decode, decode_binary, encode
from jupyter_qguard.scan.fold.methods import call_method, joined
from jupyter_qguard.scan.fold.strings import concat, dedented
from jupyter_qguard.scan.view import View

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.containers import Keywords, Positional

_Function = Callable[["Constant | None", "Positional", "Keywords"], "Constant | None"]
_CODES = 0x110000


def call_function(name: str, arguments: Positional, keywords: Keywords) -> Constant | None:
    """What ``name(*arguments, **keywords)`` gives, None if the function or an argument is not known."""
    owner, _, last = name.rpartition(".")
    first = arguments[0] if arguments else None
    function = _BUILTINS.get(name, _FUNCTIONS.get(last))
    if function is not None:
        return function(first, arguments, keywords)
    if first is None:
        return None
    if last in DECODERS:
        return decode_binary(last, first)
    return call_method(first, last, arguments[1:], keywords) if owner in _TYPES else None


def _dict(first: Constant | None, arguments: Positional, keywords: Keywords) -> Constant | None:
    named = {repr(key): value for key, value in keywords.items()}
    if not arguments:
        return mapping(named)
    if first is None or len(arguments) > 1:
        return None
    if first.kind is Kind.MAPPING:
        return updated(first, named)
    pairs = elements(first) if first.kind is Kind.SEQUENCE else None
    if pairs is None:
        return None
    table: dict[str, Constant | None] = {}
    for pair in pairs:
        if pair is None or len(pair.items) != 2 or pair.items[0] is None or pair.items[0].kind is not Kind.TEXT:
            return None
        table[repr(pair.items[0].text)] = pair.items[1]
    return mapping({**table, **named})


def _chr(first: Constant | None, _: Positional, __: Keywords) -> Constant | None:
    if first is None or first.kind is not Kind.NUMBER or not 0 <= int(first.text) < _CODES:
        return None
    return string(decoded(_character(int(first.text)), runs_of(first.view)))


def _character(code: int) -> str:
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)


def _ord(first: Constant | None, _: Positional, __: Keywords) -> Constant | None:
    if first is None or not first.is_string or len(first.text) != 1:
        return None
    return number(ord(first.text), runs_of(first.view))


def _int(first: Constant | None, arguments: Positional, _: Keywords) -> Constant | None:
    base = arguments[1] if len(arguments) > 1 else None
    if first is None or first.kind not in (Kind.TEXT, Kind.NUMBER) or len(first.text) > 20:
        return None
    try:
        value = int(first.text, int(base.text) if base is not None and base.kind is Kind.NUMBER else 10)
    except ValueError:
        return None
    return number(value, runs_of(first.view))


def _str(first: Constant | None, arguments: Positional, keywords: Keywords) -> Constant | None:
    if first is None:
        return None if arguments else Constant(NOTHING)
    if first.kind is Kind.BYTES:
        codec = arguments[1] if len(arguments) > 1 else keywords.get("encoding")
        return decode(first, codec.text) if codec is not None and codec.kind is Kind.TEXT else None
    return Constant(first.view) if first.kind in (Kind.TEXT, Kind.NUMBER) and len(arguments) == 1 else None


def _bytes(first: Constant | None, arguments: Positional, keywords: Keywords) -> Constant | None:
    if first is None:
        return None if arguments else Constant(NOTHING, Kind.BYTES)
    if first.kind is Kind.BYTES:
        return first
    if first.kind is Kind.TEXT:
        codec = arguments[1] if len(arguments) > 1 else keywords.get("encoding")
        return encode(first, codec.text) if codec is not None and codec.kind is Kind.TEXT else None
    items = elements(first)
    if items is None:
        return None
    views = []
    for item in items:
        if item is None or item.kind is not Kind.NUMBER or not 0 <= int(item.text) < 256:
            return None
        views.append(decoded(chr(int(item.text)), runs_of(item.view)))
    return string(concat(views), Kind.BYTES)


def _list(first: Constant | None, arguments: Positional, __: Keywords) -> Constant | None:
    items = elements(first) if arguments else ()
    return sequence(items) if items is not None else None


def _reversed(first: Constant | None, _: Positional, __: Keywords) -> Constant | None:
    items = elements(first)
    return sequence(reversed(items)) if items is not None else None


def _range(_: Constant | None, arguments: Positional, __: Keywords) -> Constant | None:
    bounds = [int(item.text) for item in arguments if item is not None and item.kind is Kind.NUMBER]
    if not 1 <= len(bounds) <= 3 or len(bounds) != len(arguments) or bounds[2:] == [0]:
        return None
    values = range(*bounds)
    return sequence(number(value) for value in values) if len(values) <= ITEM_LIMIT else None


def _zip(_: Constant | None, arguments: Positional, __: Keywords) -> Constant | None:
    columns: list[Sequence[Constant | None]] = []
    for argument in arguments:
        items = elements(argument)
        if items is None:
            return None
        columns.append(items)
    return sequence(sequence(row) for row in zip(*columns, strict=False))


def _dedent(first: Constant | None, _: Positional, __: Keywords) -> Constant | None:
    return Constant(dedented(first.view)) if first is not None and first.kind is Kind.TEXT else None


def _codecs_decode(first: Constant | None, arguments: Positional, keywords: Keywords) -> Constant | None:
    codec = arguments[1] if len(arguments) > 1 else keywords.get("encoding")
    return decode(first, codec.text) if first is not None and codec is not None and codec.kind is Kind.TEXT else None


def _codecs_encode(first: Constant | None, arguments: Positional, keywords: Keywords) -> Constant | None:
    codec = arguments[1] if len(arguments) > 1 else keywords.get("encoding")
    return encode(first, codec.text) if first is not None and codec is not None and codec.kind is Kind.TEXT else None


def _paste(separator: str) -> _Function:
    """R's ``paste0("a", "b")`` and ``paste``, Julia's ``string``."""

    def function(_: Constant | None, arguments: Positional, keywords: Keywords) -> Constant | None:
        between = keywords.get("sep", Constant(View(separator, ())))
        return joined(between, arguments) if between is not None and between.kind is Kind.TEXT else None

    return function


_TYPES = frozenset(("str", "bytes"))
_BUILTINS: dict[str, _Function] = {
    "bytearray": _bytes,
    "bytes": _bytes,
    "chr": _chr,
    "codecs.decode": _codecs_decode,
    "codecs.encode": _codecs_encode,
    "dict": _dict,
    "int": _int,
    "list": _list,
    "ord": _ord,
    "range": _range,
    "reversed": _reversed,
    "str": _str,
    "string": _paste(""),
    "tuple": _list,
    "zip": _zip,
}
_FUNCTIONS: dict[str, _Function] = {
    "dedent": _dedent,
    "paste": _paste(" "),
    "paste0": _paste(""),
}
FUNCTIONS = frozenset({*(name.rpartition(".")[2] for name in _BUILTINS), *_FUNCTIONS, *DECODERS})
"""Last parts of the names of all functions that are known."""
