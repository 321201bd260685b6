"""Notes what a buffer speaks of: vendors, names that say credential, places that something could hang on.

Nothing is decided here. What concerns the whole document goes to the shared context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.scan.binding import is_working_folder, name_span
from jupyter_qguard.scan.call import called_name
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role, role
from jupyter_qguard.scan.shown import is_shown

if TYPE_CHECKING:
    from jupyter_qguard.scan.buffer import Buffer, Segment
    from jupyter_qguard.scan.candidate import Context
    from jupyter_qguard.scan.ruleset import RuleSet
    from jupyter_qguard.scan.spot import Spots

_FILE_TYPE = re.compile(
    r"\.(?:exe|dll|py|json|txt|pem|ya?ml|md|html?|csv|ipynb|sh|js|ts|cfg|ini|toml|db|log|svg|png)\b(?!\s*[=:(])"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that says credential, where it stands."""

    segment: Segment
    start: int
    stop: int
    word_end: int
    text: str
    meaning: Role


class Notes:
    """What was noted of one buffer."""

    def __init__(self, rules: RuleSet, buffer: Buffer, spots: Spots, context: Context) -> None:
        """Note it, and tell the *context*."""
        self._rules = rules
        self._buffer = buffer
        self._text = buffer.text
        self._spots = spots
        self._context = context
        self.names: list[Name] = []
        """The names, in the order of the text."""
        self._note_marks()
        self._note_names()
        self.ends = [name.word_end for name in self.names]
        """Where the credential word of each name ends."""

    def _note_marks(self) -> None:
        context = self._context
        for position, vendor in self._spots.words:
            segment = self._buffer.segment(position - 1)
            if segment is not None:
                context.unit_vendors[segment.unit].add(vendor)
                context.vendors.add(vendor)
                context.marked.add(segment.unit)
        calls = (end for end in self._spots.calls if self._takes_credential(end))
        others = (*calls, *self._spots.urls, *self._spots.marks, *(end for _, end in self._spots.shapes))
        for position in others:
            segment = self._buffer.segment(position - 1)
            if segment is not None:
                self._mark(segment)

    def _mark(self, segment: Segment) -> None:
        self._context.marked.add(segment.unit)
        if segment.kind in (Kind.CODE, Kind.TEXT):
            self._context.sinks.add(segment.unit)

    def _takes_credential(self, end: int) -> bool:
        segment = self._buffer.segment(end - 1)
        dotted = called_name(self._text, segment.start, end - 1) if segment else ""
        return segment is not None and self._rules.takes_credential(self._text, dotted, end)

    def _note_names(self) -> None:
        last = -1
        for end in self._spots.names:
            if end <= last:
                continue
            segment = self._buffer.segment(end - 1)
            if segment is None:
                continue
            start, stop = name_span(self._text, segment.start, segment.end, end)
            text = self._text[start:stop]
            meaning = self._rules.meaning(text)
            if meaning is not Role.NONE and (
                _FILE_TYPE.match(self._text, stop, segment.end) or is_working_folder(self._text, segment.start, start)
            ):
                continue
            if meaning is Role.NONE:
                if start > segment.start and self._text[start - 1] == "\\":  # LaTeX and Markdown: api\_key
                    self._context.marked.add(segment.unit)
                continue
            last = stop
            self.names.append(Name(segment, start, stop, end, text, meaning))
            self._mark(segment)
            self._context.chosen |= meaning is Role.PASSWORD or role(text) is Role.PASSWORD
            if segment.kind == Kind.CODE:
                self._context.source_roles.add(segment.unit)
                if is_shown(self._text, segment.start, segment.end, start, stop):
                    self._context.shown.setdefault(segment.unit, (text, meaning))
