"""Encodes a document for a worker, cell by cell, and tells which cells are as they were when they were scanned last.

What is encoded is a copy: whatever becomes of the document later, this is what was scanned.
"""

from __future__ import annotations

import hashlib
import operator
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from jupyter_qguard.errors import InputError

_KEY = secrets.token_bytes(32)
"""Digests are keyed for the life of this process, so that nobody can prepare two cells with the same one."""
_DIGEST_SIZE = 16
_LARGEST = 2**64 - 1
_SMALLEST = -(2**63)
_TAGS_OF_BYTES = (b"\xc4", b"\xc5", b"\xc6")
"""With which MessagePack begins bytes. They stand in text too, so that they are only a reason to look."""
_END = 40
"""Bytes at either end by which a part that was moved is found again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be scanned in a worker."""

    name: str
    """File name; for bytes its ending says how they are read."""
    notebook: bool
    """Whether the parts are cells and, last, the rest of a notebook. Else the one part is a file's bytes."""
    parts: tuple[bytes, ...]
    fresh: int = 0
    """Bytes of parts that were not known before."""
    sent: Future[None] = field(default_factory=Future, compare=False, repr=False)
    """Done as soon as a worker is sent it."""

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts))

    @property
    def digest(self) -> bytes:
        """Names the content: equal digests, equal findings. Takes a millisecond a megabyte."""
        file = b"notebook file" if self.name.lower().endswith(".ipynb") else b"text file"
        whole = hashlib.blake2b(b"cells" if self.notebook else file, digest_size=_DIGEST_SIZE, key=_KEY)
        for part in self.parts:
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
        return whole.digest()

    def tell_sent(self) -> None:
        """Let whoever waits for :attr:`sent` go on. May be called again."""
        with suppress(InvalidStateError):
            self.sent.set_result(None)


def prepare_notebook(document: Mapping[str, Any], name: str, before: Sequence[bytes] = ()) -> Prepared:
    """Encode a parsed notebook. Parts that are equal to one of *before* are the very same objects.

    Raises
    ------
    InputError
        It holds something that no notebook file can: a lone surrogate, a value that is no JSON, endless nesting.
    """
    cells = document.get("cells")
    inside, rest = (cells, {**document, "cells": []}) if isinstance(cells, list) else ([], document)
    parts, new = _parts(inside, before[:-1], lambda at: f"cell {at + 1}")
    fresh = sum(len(parts[at]) for at in new)
    parts += _parts([rest], before[-1:], lambda _: "the notebook outside of its cells")[0]
    return Prepared(name, notebook=True, parts=tuple(parts), fresh=fresh)


def is_unchanged(document: Mapping[str, Any], prepared: Prepared) -> bool:
    """Whether *document* would be encoded to *prepared* once more: 1 to 5 ms for 10 MB."""
    try:
        again = prepare_notebook(document, prepared.name, prepared.parts).parts
    except InputError:
        return False
    return len(again) == len(prepared.parts) and all(map(operator.is_, again, prepared.parts))


def prepare_bytes(data: bytes, name: str) -> Prepared:
    """Wrap the bytes of a file."""
    return Prepared(name, notebook=False, parts=(data,))


def recognised(
    encoded: Iterable[bytes | bytearray], count: int, before: Sequence[bytes]
) -> tuple[list[bytes], list[int]]:
    """The *count* parts of *encoded*, those that are equal to one of *before* as the very same objects; and the numbers
    of those that are not so by their place, counted from the front or from the back."""
    parts: list[bytes] = []
    new: list[int] = []
    shift = len(before) - count
    for at, part in enumerate(encoded):
        if at < len(before) and part == before[at]:
            parts.append(before[at])
        elif shift and at + shift >= 0 and part == before[at + shift]:
            parts.append(before[at + shift])
        else:
            parts.append(bytes(part))
            new.append(at)
    if len(new) > 1 and before:
        left = {_ends_of(part): part for part in before}
        for at in new:
            moved = left.get(_ends_of(parts[at]))
            parts[at] = moved if moved is not None and moved == parts[at] else parts[at]
    return parts, new


def _ends_of(part: bytes) -> tuple[int, bytes, bytes]:
    return len(part), part[:_END], part[-_END:]


def _parts(
    values: Sequence[object], before: Sequence[bytes], where: Callable[[int], str]
) -> tuple[list[bytes], list[int]]:
    encoder = msgspec.msgpack.Encoder()
    try:
        parts, new = recognised(_encoded(encoder, values, anew=not before), len(values), before)
    except (OverflowError, TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        # One by one, to spell what can be spelled and to tell where the rest is.
        each = (_encode(encoder, value, where(at)) for at, value in enumerate(values))
        parts, new = recognised(each, len(values), before)
    for at in new:
        if any(tag in parts[at] for tag in _TAGS_OF_BYTES) and _has_bytes(values[at]):
            raise InputError(_no_json(where(at)))
    return parts, new


def _encoded(encoder: msgspec.msgpack.Encoder, values: Iterable[object], *, anew: bool) -> Iterable[bytes | bytearray]:
    """Each value; unless *anew* all in the same memory, since most will only be compared: it stays near the processor."""
    return map(encoder.encode, values) if anew else _encoded_in_place(encoder, values)


def _encoded_in_place(encoder: msgspec.msgpack.Encoder, values: Iterable[object]) -> Iterator[bytearray]:
    space = bytearray()
    for value in values:
        encoder.encode_into(value, space)
        yield space


def _encode(encoder: msgspec.msgpack.Encoder, value: object, where: str) -> bytes:
    try:
        return encoder.encode(value)
    except OverflowError:
        return _encode(encoder, _spelled(value), where)
    except UnicodeEncodeError:
        message = f"malformed notebook: {where} holds half of a surrogate pair, which cannot be stored"
    except RecursionError:
        message = f"malformed notebook: {where} is nested too deeply"
    except (TypeError, ValueError, msgspec.MsgspecError):
        message = _no_json(where)
    raise InputError(message) from None


def _no_json(where: str) -> str:
    return f"malformed notebook: {where} holds a value that is no JSON"


def _has_bytes(value: object) -> bool:
    """Whether there are bytes in *value*: nbformat writes them as text, and a scan finds no text in them."""
    if isinstance(value, Mapping):
        return any(map(_has_bytes, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_bytes, value))
    return isinstance(value, bytes | bytearray | memoryview)


def _spelled(value: object) -> object:
    """*value* with integers beyond 64 bits, which JSON has and MessagePack has not, as their digits."""
    if isinstance(value, Mapping):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return str(value)
    return value
