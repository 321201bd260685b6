"""Lists, tuples and dictionaries of constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jupyter_qguard.scan.fold.constant import Constant, Kind, mapping, number, runs_of, sequence
from jupyter_qguard.scan.fold.formats import lookup
from jupyter_qguard.scan.fold.strings import cut

Positional = Sequence["Constant | None"]
Keywords = Mapping[str, "Constant | None"]
Method = Callable[[Constant, Positional, Keywords], "Constant | None"]


def elements(value: Constant | None) -> Sequence[Constant | None] | None:
    """What iterating over a constant gives; None if that is not known."""
    if value is None or value.kind in (Kind.NUMBER, Kind.OBJECT):
        return None
    if value.kind is Kind.TEXT:
        return [Constant(value.view.slice(at, at + 1)) for at in range(len(value.text))]
    if value.kind is Kind.BYTES:
        return [number(ord(char), value.view.origins(at, at + 1)) for at, char in enumerate(value.text)]
    return value.items if value.kind is Kind.SEQUENCE else None


def item(owner: Constant, key: Constant) -> Constant | None:
    """As ``owner[key]``, None if there is no such item or it is not constant."""
    if owner.kind is Kind.MAPPING:
        return lookup(owner, written_key(key) or "")
    if key.kind is not Kind.NUMBER or owner.kind in (Kind.NUMBER, Kind.OBJECT):
        return None
    index = int(key.text)
    if owner.kind is Kind.SEQUENCE:
        return owner.items[index] if -len(owner.items) <= index < len(owner.items) else None
    if not -len(owner.text) <= index < len(owner.text):
        return None
    index %= len(owner.text)
    view = owner.view.slice(index, index + 1)
    return Constant(view) if owner.kind is Kind.TEXT else number(ord(view.text), runs_of(view))


def part(owner: Constant, taken: slice) -> Constant | None:
    """As ``owner[taken]`` for strings and sequences."""
    if owner.kind is Kind.SEQUENCE:
        return sequence(owner.items[taken])
    return Constant(cut(owner.view, taken), owner.kind) if owner.is_string else None


def written_key(key: Constant | None) -> str | None:
    """A key as Python writes it, None for one that is not followed."""
    if key is None or len(key.text) > 256:
        return None
    return repr(key.text) if key.kind is Kind.TEXT else key.text if key.kind is Kind.NUMBER else None


def named_items(table: Constant) -> dict[str, Constant | None]:
    """Items of a mapping by their keys, of those keys that are text. Of anything else, which a set takes too: none."""
    if table.kind is not Kind.MAPPING:
        return {}
    return {
        key[1:-1]: item
        for key, item in zip(table.keys, table.items, strict=True)
        if key[:1] in "'\"" and "\\" not in key
    }


def _get(owner: Constant, arguments: Positional, _: Keywords) -> Constant | None:
    key = arguments[0] if arguments else None
    written = written_key(key)
    if owner.kind is not Kind.MAPPING or written is None:
        return None
    if written in owner.keys:
        return lookup(owner, written)
    return arguments[1] if len(arguments) > 1 else None


def _copy(owner: Constant, _: Positional, __: Keywords) -> Constant | None:
    return owner


def _values(owner: Constant, _: Positional, __: Keywords) -> Constant | None:
    return sequence(owner.items) if owner.kind is Kind.MAPPING else None


def updated(table: Constant, items: Keywords) -> Constant | None:
    """A mapping with *items* (keys as Python writes them) put in."""
    return mapping({**dict(zip(table.keys, table.items, strict=True)), **items})


CONTAINER_METHODS: dict[str, Method] = {"get": _get, "copy": _copy, "values": _values}
