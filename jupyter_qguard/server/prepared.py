"""Encodes a document for a worker, cell by cell, so that the worker knows the cells again that it has seen.

Runs in a thread beside the event loop: each cell is one short C call, and between cells the loop gets its turn. What
is encoded is a copy: whatever becomes of the document later, this is what was scanned.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be scanned in a worker."""

    name: str
    """File name; for bytes its ending says how they are read."""
    notebook: bool
    """Whether the parts are cells and, last, the rest of a notebook. Else the one part is a file's bytes."""
    parts: tuple[bytes, ...]

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


def prepare_notebook(document: Mapping[str, Any], name: str) -> Prepared:
    """Encode a parsed notebook.

    Raises
    ------
    InputError
        It holds something that no notebook file can: a lone surrogate, a value that is no JSON, endless nesting.
    """
    cells = document.get("cells")
    parts: list[bytes] = []
    rest: Mapping[str, Any] = document
    if isinstance(cells, list):
        rest = {**document, "cells": []}
        parts = [_encode(cell, f"cell {number}") for number, cell in enumerate(cells, 1)]
    parts.append(_encode(rest, "the notebook outside of its cells"))
    return Prepared(name, notebook=True, parts=tuple(parts))


def prepare_bytes(data: bytes, name: str) -> Prepared:
    """Wrap the bytes of a file."""
    return Prepared(name, notebook=False, parts=(data,))


def _encode(value: object, where: str) -> bytes:
    try:
        encoded = msgspec.msgpack.encode(value)
        if any(tag in encoded for tag in _TAGS_OF_BYTES) and _has_bytes(value):
            raise TypeError  # noqa: TRY301 - as for any other value that is no JSON
        return encoded  # noqa: TRY300 - the shortest way
    except OverflowError:
        return _encode(_spelled(value), where)
    except UnicodeEncodeError:
        message = f"malformed notebook: {where} holds half of a surrogate pair, which cannot be stored"
    except RecursionError:
        message = f"malformed notebook: {where} is nested too deeply"
    except (TypeError, ValueError, msgspec.MsgspecError):
        message = f"malformed notebook: {where} holds a value that is no JSON"
    raise InputError(message) from None


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
