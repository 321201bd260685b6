"""Methods of strings and bytes, done to constants."""

from __future__ import annotations

import re
from collections.abc import Callable

from jupyter_qguard.scan.fold.constant import Constant, Kind, sequence, string
from jupyter_qguard.scan.fold.containers import (
    CONTAINER_METHODS,
    Keywords,
    Method,
    Positional,
    elements,
    named_items,
)
from jupyter_qguard.scan.fold.encodings import decode, encode
from jupyter_qguard.scan.fold.formats import braces, pad
from jupyter_qguard.scan.fold.strings import (
    converted,
    join,
    lines,
    partition,
    replaced,
    split,
    stripped,
)

_KEYWORD_NAMES = {"encoding", "sep", "maxsplit", "count", "errors"}
_ANY_BYTES = frozenset(
    ("join", "decode", "replace", "removeprefix", "removesuffix", "partition", "rpartition", "__add__")
)
"""Methods of bytes that do not ask which bytes are letters or white space."""
_BEYOND_ASCII_TEXT = re.compile(r"[^\t\n\r -~]")


def call_method(owner: Constant, name: str, arguments: Positional, keywords: Keywords) -> Constant | None:
    """What ``owner.name(*arguments, **keywords)`` gives, None if that is not known."""
    if owner.is_string:
        if name not in ("format", "format_map") and (not keywords.keys() <= _KEYWORD_NAMES or None in arguments):
            return None
        if owner.kind is Kind.BYTES and name not in _ANY_BYTES and _BEYOND_ASCII_TEXT.search(owner.text):
            return None
        convert = _CONVERSIONS.get(name)
        if convert is not None:
            return None if arguments else string(converted(owner.view, convert), owner.kind)
        method = _METHODS.get(name)
    else:
        method = CONTAINER_METHODS.get(name)
    return method(owner, arguments, keywords) if method is not None else None


def joined(separator: Constant, items: Positional) -> Constant | None:
    """As ``separator.join(items)``; None if an item is of another kind."""
    views = [item.view for item in items if item is not None and item.kind is separator.kind]
    if len(views) != len(items) or sum(len(view.text) for view in views) > (1 << 20):
        return None
    return string(join(separator.view, views), separator.kind)


def _text_of(arguments: Positional, at: int, keywords: Keywords, keyword: str) -> str | None:
    value = arguments[at] if at < len(arguments) else keywords.get(keyword)
    return value.text if value is not None and value.is_string else None


def _number_of(arguments: Positional, at: int, keywords: Keywords, keyword: str, default: int) -> int:
    value = arguments[at] if at < len(arguments) else keywords.get(keyword)
    return int(value.text) if value is not None and value.kind is Kind.NUMBER else default


def _join(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    items = elements(arguments[0]) if len(arguments) == 1 else None
    return joined(owner, items) if items is not None else None


def _format(owner: Constant, arguments: Positional, keywords: Keywords) -> Constant | None:
    view = braces(owner, arguments, keywords)
    return string(view) if view is not None and owner.kind is Kind.TEXT else None


def _format_map(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    table = arguments[0] if arguments else None
    if table is None or table.kind is not Kind.MAPPING:
        return None
    return _format(owner, (), named_items(table))


def _coded(convert: Callable[[Constant, str], Constant | None]) -> Method:
    def method(owner: Constant, arguments: Positional, keywords: Keywords) -> Constant | None:
        codec = _text_of(arguments, 0, keywords, "encoding")
        if codec is None and (arguments or "encoding" in keywords):
            return None
        return convert(owner, codec or "utf-8")

    return method


def _stripping(*, left: bool = True, right: bool = True) -> Method:
    def method(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
        characters = _text_of(arguments, 0, {}, "")
        if arguments and characters is None:
            return None
        return Constant(stripped(owner.view, characters, left=left, right=right), owner.kind)

    return method


def _replace(owner: Constant, arguments: Positional, keywords: Keywords) -> Constant | None:
    if len(arguments) < 2 or arguments[0] is None or arguments[1] is None:
        return None
    old, new = arguments[0], arguments[1]
    if old.kind is not owner.kind or new.kind is not owner.kind:
        return None
    view = replaced(owner.view, old.text, new.view, _number_of(arguments, 2, keywords, "count", -1))
    return string(view, owner.kind) if view is not None else None


def _remove_prefix(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    part = _text_of(arguments, 0, {}, "")
    if part is None:
        return None
    start = len(part) if owner.text.startswith(part) else 0
    return Constant(owner.view.slice(start, len(owner.text)), owner.kind)


def _remove_suffix(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    part = _text_of(arguments, 0, {}, "")
    if part is None:
        return None
    end = len(owner.text) - (len(part) if owner.text.endswith(part) else 0)
    return Constant(owner.view.slice(0, end), owner.kind)


def _splitting(*, from_right: bool) -> Method:
    def method(owner: Constant, arguments: Positional, keywords: Keywords) -> Constant | None:
        separator = _text_of(arguments, 0, keywords, "sep")
        if separator == "" or (separator is None and arguments):
            return None
        if len(owner.text.split(separator)) > 1024:
            return None
        limit = _number_of(arguments, 1, keywords, "maxsplit", -1)
        return sequence(
            Constant(view, owner.kind) for view in split(owner.view, separator, limit, from_right=from_right)
        )

    return method


def _partitioning(*, from_right: bool) -> Method:
    def method(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
        separator = _text_of(arguments, 0, {}, "")
        if not separator:
            return None
        return sequence(Constant(view, owner.kind) for view in partition(owner.view, separator, from_right=from_right))

    return method


def _lines(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    if arguments or owner.text.count("\n") > 1024:
        return None
    return sequence(Constant(view, owner.kind) for view in lines(owner.view))


def _padding(align: str) -> Method:
    def method(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
        width = _number_of(arguments, 0, {}, "", -1)
        fill = _text_of(arguments, 1, {}, "") if len(arguments) > 1 else " "
        if not 0 <= width <= 1000 or fill is None or len(fill) != 1 or fill in "{}":
            return None
        view = pad(owner.view, f"{fill}{align}{width}")
        return string(view, owner.kind) if view is not None else None

    return method


def _add(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    return joined(Constant(owner.view.slice(0, 0), owner.kind), [owner, *arguments])


_CONVERSIONS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "casefold": str.casefold,
    "swapcase": str.swapcase,
    "title": str.title,
    "capitalize": str.capitalize,
}
_METHODS: dict[str, Method] = {
    "join": _join,
    "format": _format,
    "format_map": _format_map,
    "encode": _coded(encode),
    "decode": _coded(decode),
    "strip": _stripping(),
    "lstrip": _stripping(right=False),
    "rstrip": _stripping(left=False),
    "replace": _replace,
    "removeprefix": _remove_prefix,
    "removesuffix": _remove_suffix,
    "split": _splitting(from_right=False),
    "rsplit": _splitting(from_right=True),
    "partition": _partitioning(from_right=False),
    "rpartition": _partitioning(from_right=True),
    "splitlines": _lines,
    "ljust": _padding("<"),
    "rjust": _padding(">"),
    "__add__": _add,
    "concat": _add,
}
METHODS = frozenset({*_CONVERSIONS, *_METHODS, *CONTAINER_METHODS})
"""Names of the methods that are known."""
