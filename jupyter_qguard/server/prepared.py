"""Turns a document into digests and blobs, cell by cell, so that only changed cells travel to a worker.

Runs in a thread beside the event loop: each cell is one short C call, and between cells the loop gets its turn.
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


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a document that is sent and remembered as one."""

    key: bytes
    """Digest of the blob."""
    blob: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be scanned in a worker."""

    name: str
    """File name; for bytes its ending says how they are read."""
    notebook: bool
    """Whether the parts are cells and, last, the rest of a notebook. Else the one part is a file's bytes."""
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(len(part.blob) for part in self.parts)

    @property
    def digest(self) -> bytes:
        """Names the content: equal digests, equal findings."""
        file = b"notebook file" if self.name.lower().endswith(".ipynb") else b"text file"
        form = b"cells" if self.notebook else file
        return _digest(form + b"".join(part.key for part in self.parts))


def prepare_notebook(document: Mapping[str, Any], name: str) -> Prepared:
    """Encode a parsed notebook.

    Raises
    ------
    InputError
        It holds something that no notebook file can: a lone surrogate, a value that is no JSON, endless nesting.
    """
    cells = document.get("cells")
    parts: list[Part] = []
    rest: Mapping[str, Any] = document
    if isinstance(cells, list):
        rest = {**document, "cells": []}
        parts = [_part(cell, f"cell {number}") for number, cell in enumerate(cells, 1)]
    parts.append(_part(rest, "the notebook outside of its cells"))
    return Prepared(name, notebook=True, parts=tuple(parts))


def prepare_bytes(data: bytes, name: str) -> Prepared:
    """Wrap the bytes of a file."""
    return Prepared(name, notebook=False, parts=(Part(_digest(data), data),))


def _part(value: object, where: str) -> Part:
    blob = _encode(value, where)
    return Part(_digest(blob), blob)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_SIZE, key=_KEY).digest()


def _encode(value: object, where: str) -> bytes:
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:
        return _encode(_spelled(value), where)
    except UnicodeEncodeError:
        message = f"malformed notebook: {where} holds half of a surrogate pair, which cannot be stored"
    except RecursionError:
        message = f"malformed notebook: {where} is nested too deeply"
    except (TypeError, ValueError, msgspec.MsgspecError):
        message = f"malformed notebook: {where} holds a value that is no JSON"
    raise InputError(message) from None


def _spelled(value: object) -> object:
    """*value* with integers beyond 64 bits, which JSON has and MessagePack has not, as their digits."""
    if isinstance(value, Mapping):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return str(value)
    return value
