"""What the fold knows about a value, and the limits within which it knows anything at all."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jupyter_qguard.scan.view import Origin, Piece, View

TEXT_LIMIT = 64 * 1024
"""Characters of one folded value. A private key has 3 200, a service account file 2 400."""
PIECE_LIMIT = 16 * 1024
"""Pieces of one folded value: a text put together from single characters has one for each."""
ITEM_LIMIT = 4096
"""Items of one container that is followed."""
DEPTH_LIMIT = 8
"""Containers within containers that are followed."""
NUMBER_LIMIT = 1 << 40
"""Numbers only serve as repetition counts, indices and character codes."""


class Kind(enum.IntEnum):
    """What a constant is in the interpreter."""

    TEXT = 0
    BYTES = 1
    """The view has one character for each byte (Latin-1)."""
    NUMBER = 2
    """The view is the decimal form."""
    SEQUENCE = 3
    MAPPING = 4
    OBJECT = 5
    """Nothing is known of the value itself, but some of its members have been assigned to."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that can be read off the source, with the raw characters it is made of."""

    view: View
    kind: Kind = Kind.TEXT
    items: tuple[Constant | None, ...] = ()
    """Of a sequence or mapping; None for an item that is not constant."""
    keys: tuple[str, ...] = ()
    """Of a mapping: the keys as Python writes them. Of an object: the full names of its members."""
    depth: int = 0
    """How deep containers are nested in it."""

    @property
    def text(self) -> str:
        """The characters of a text, bytes or number."""
        return self.view.text

    @property
    def is_string(self) -> bool:
        """Whether this is text or bytes: what is put into a folded view."""
        return self.kind <= Kind.BYTES


Names = Mapping[str, Constant]
"""Names bound to constants so far. Members are keyed by their full name: ``config.token``, ``os.environ['X']``."""

NOTHING = View("", ())


@dataclass(frozen=True, slots=True)
class Folded:
    """What folding one cell gave."""

    view: View | None
    """The cell with constants in place; None when nothing was replaced."""
    names: dict[str, Constant | None]
    """Names that this cell binds; None for a name that is no longer constant."""


def string(view: View, kind: Kind = Kind.TEXT) -> Constant | None:
    """A text or bytes constant, None beyond the limits."""
    if len(view.text) > TEXT_LIMIT or len(view.pieces) > PIECE_LIMIT:
        return None
    return Constant(view, kind)


def number(value: int, runs: tuple[Origin, ...] = ()) -> Constant | None:
    """A number made from *runs*, None beyond the limit."""
    if not -NUMBER_LIMIT < value < NUMBER_LIMIT:
        return None
    return Constant(decoded(str(value), runs), Kind.NUMBER) if runs else _counted(value)


@lru_cache(maxsize=8192)
def _counted(value: int) -> Constant:
    """A number that stands nowhere: ranges are full of them, and they are all alike."""
    return Constant(View(str(value), ()), Kind.NUMBER)


def sequence(items: Iterable[Constant | None]) -> Constant | None:
    """A list, tuple or set, None beyond the limit."""
    return _container(Kind.SEQUENCE, tuple(items), ())


def mapping(items: Mapping[str, Constant | None]) -> Constant | None:
    """A dictionary by its keys as Python writes them, None beyond the limit."""
    return _container(Kind.MAPPING, tuple(items.values()), tuple(items))


def _container(kind: Kind, items: tuple[Constant | None, ...], keys: tuple[str, ...]) -> Constant | None:
    depth = 1 + max((item.depth for item in items if item is not None), default=0)
    if len(items) > ITEM_LIMIT or depth > DEPTH_LIMIT:
        return None
    return Constant(NOTHING, kind, items, keys, depth)


def decoded(text: str, runs: tuple[Origin, ...]) -> View:
    """Text of which any part stands for all of *runs*; without runs it stands for nothing."""
    return View(text, (Piece(0, len(text), *runs[0], runs[1:]),) if runs and text else ())


def runs_of(view: View) -> tuple[Origin, ...]:
    """All raw characters behind a view."""
    return view.origins(0, len(view.text))
