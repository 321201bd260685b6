"""One text out of many views, so that the engines run once; and the way back to the fragment."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.scan.view import Origin, View

_APART = "\x1e" * 128 + "\n"
"""Between units: longer than any gap that a rule spans, so that what is found in a unit depends on it alone."""


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A view's place in the buffer."""

    start: int
    end: int
    unit: int
    view: Any
    """A View, or None for the fragment's own text."""
    fragment: int
    label: str
    kind: int
    depth: int
    """How many decodings lie behind it."""

    def origins(self, start: int, end: int) -> tuple[Origin, ...]:
        """Raw runs behind ``[start, end)`` of the buffer."""
        if self.view is None:
            return ((self.fragment, start - self.start, end - self.start),)
        found: tuple[Origin, ...] = self.view.origins(start - self.start, end - self.start)
        return found


class Buffer:
    """Segments joined by blank lines. Labels stand before their values, so that rules that want context find it."""

    def __init__(self) -> None:
        """Start empty."""
        self._texts: list[str] = ["\n"]
        self._length = 1
        self._starts: list[int] = []
        self.segments: list[Segment] = []
        self.text = ""

    def add(self, text: str, *, unit: int, fragment: int, label: str, kind: int, view: View | None, depth: int) -> None:
        """Append a view's text."""
        if label and len(label) <= 64 and "\n" not in label:
            prefix, suffix = f'{label} = "', '"\n\n'
        else:
            prefix, suffix = "", "\n\n"
        if self.segments and self.segments[-1].unit != unit:
            prefix = _APART + prefix
        start = self._length + len(prefix)
        end = start + len(text)
        self._texts += (prefix, text, suffix)
        self._length = end + len(suffix)
        self._starts.append(start)
        self.segments.append(Segment(start, end, unit, view, fragment, label, kind, depth))

    def close(self) -> bytes:
        """Join the text; returned with one byte per code point for the engines (non-ASCII as ``?``)."""
        self.text = "".join(self._texts)
        return self.text.encode("ascii", "replace")

    def segment(self, position: int) -> Segment | None:
        """The segment that *position* is in, None if it is in a separator or label."""
        number = bisect_right(self._starts, position) - 1
        if number < 0:
            return None
        segment = self.segments[number]
        return segment if position < segment.end else None


class Together:
    """Closed buffers of several units as one text: the engines take longer to begin than to look through a cell."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        """Join *texts*, so far apart that what is found in each depends on it alone."""
        self.texts = texts
        apart = _APART.encode("ascii")
        self.data = apart.join(texts)
        lengths = [len(text) + len(apart) for text in texts]
        self.starts = list(accumulate(lengths, initial=0))

    def text(self, position: int) -> int | None:
        """The number of the text that *position* is in, None if it is in none."""
        number = bisect_right(self.starts, position) - 1
        return number if position - self.starts[number] < len(self.texts[number]) else None
