"""Text made from other text, with an exact way back: every decoding step of the scanner yields a view."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Origin = tuple[int, int, int]
"""``(fragment, start, end)``: a run of raw characters in one fragment."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a view and the run of a fragment it was made from.

    Runs of equal length correspond character by character. Otherwise the piece is *opaque*: any part of it stands for
    all of the source run (an escape sequence, a whole base64 run).
    """

    start: int
    end: int
    fragment: int
    source_start: int
    source_end: int
    rest: tuple[Origin, ...] = ()
    """Further source runs of an opaque piece whose encoded text was itself in parts."""

    @property
    def exact(self) -> bool:
        """Whether characters correspond one to one."""
        return not self.rest and self.end - self.start == self.source_end - self.source_start


@dataclass(frozen=True, slots=True)
class View:
    """Decoded text. Characters that no piece covers were put in by the decoder and map to nothing."""

    text: str
    pieces: tuple[Piece, ...]
    """Ascending and disjoint by ``start``."""

    @classmethod
    def identity(cls, text: str, fragment: int) -> View:
        """The view that changes nothing."""
        return cls(text, (Piece(0, len(text), fragment, 0, len(text)),) if text else ())

    def origins(self, start: int, end: int) -> tuple[Origin, ...]:
        """The raw runs behind ``[start, end)``; runs that touch in the same fragment are joined."""
        first = max(bisect_right(self.pieces, start, key=lambda piece: piece.start) - 1, 0)
        runs: list[Origin] = []
        for piece in self.pieces[first:]:
            if piece.start >= end:
                break
            low, high = max(piece.start, start), min(piece.end, end)
            if low >= high:
                continue
            if piece.exact:
                shift = piece.source_start - piece.start
                runs.append((piece.fragment, low + shift, high + shift))
            else:
                runs.append((piece.fragment, piece.source_start, piece.source_end))
                runs.extend(piece.rest)
        return join_runs(runs)

    def slice(self, start: int, end: int) -> View:
        """The view of ``text[start:end]``."""
        return ViewBuilder().append_slice(self, start, end).build()


def join_runs(runs: Iterable[Origin]) -> tuple[Origin, ...]:
    """Sort runs and join those that touch or overlap in the same fragment."""
    joined: list[Origin] = []
    for fragment, start, end in sorted(runs):
        if joined and joined[-1][0] == fragment and start <= joined[-1][2]:
            joined[-1] = (fragment, joined[-1][1], max(end, joined[-1][2]))
        else:
            joined.append((fragment, start, end))
    return tuple(joined)


class ViewBuilder:
    """Puts a view together from slices of others, decoded runs and inserted text."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._texts: list[str] = []
        self._pieces: list[Piece] = []
        self._length = 0

    def insert(self, text: str) -> ViewBuilder:
        """Add text that stands for nothing in the source."""
        self._texts.append(text)
        self._length += len(text)
        return self

    def append(self, text: str, fragment: int, source_start: int, source_end: int) -> ViewBuilder:
        """Add text made from the run ``[source_start, source_end)`` of a fragment."""
        if text:
            end = self._length + len(text)
            self._pieces.append(Piece(self._length, end, fragment, source_start, source_end))
            self._texts.append(text)
            self._length = end
        return self

    def append_slice(self, view: View, start: int, end: int) -> ViewBuilder:
        """Add ``view.text[start:end]`` with its way back."""
        first = max(bisect_right(view.pieces, start, key=lambda piece: piece.start) - 1, 0)
        for piece in view.pieces[first:]:
            if piece.start >= end:
                break
            low, high = max(piece.start, start), min(piece.end, end)
            if low >= high:
                continue
            shift = self._length - start
            source = (
                (piece.source_start + low - piece.start, piece.source_start + high - piece.start)
                if piece.exact
                else (piece.source_start, piece.source_end)
            )
            self._pieces.append(Piece(low + shift, high + shift, piece.fragment, *source, piece.rest))
        self._texts.append(view.text[start:end])
        self._length += end - start
        return self

    def append_decoded(self, text: str, view: View, start: int, end: int) -> ViewBuilder:
        """Add text decoded from ``view.text[start:end]`` as a whole: any part of it stands for all of that run."""
        runs = view.origins(start, end)
        if runs and text:
            stop = self._length + len(text)
            self._pieces.append(Piece(self._length, stop, *runs[0], runs[1:]))
            self._texts.append(text)
            self._length = stop
        return self

    def build(self) -> View:
        """The finished view."""
        return View("".join(self._texts), tuple(self._pieces))
