"""The scanner: document in, findings out. Puts the stages together; each stage is a module of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jupyter_qguard.scan import decode
from jupyter_qguard.scan.attribution import Weight
from jupyter_qguard.scan.buffer import Buffer
from jupyter_qguard.scan.cache import default_cache_dir, prepare
from jupyter_qguard.scan.classify import labels
from jupyter_qguard.scan.finding import Classification, ScanResult
from jupyter_qguard.scan.flow import feeders
from jupyter_qguard.scan.fragment import Fragment, Kind, Unit, notebook_units
from jupyter_qguard.scan.glancer import SMALLEST, Glancer
from jupyter_qguard.scan.judge import Candidate, Context, Judge
from jupyter_qguard.scan.mixed import scan_mixed
from jupyter_qguard.scan.names import Role
from jupyter_qguard.scan.notebook import check_notebook, parse_notebook
from jupyter_qguard.scan.report import Reporter
from jupyter_qguard.scan.resolve import copies, locate, repeated, resolve
from jupyter_qguard.scan.ruleset import load_ruleset
from jupyter_qguard.scan.spot import Spots, Spotter
from jupyter_qguard.scan.strength import is_placeholder
from jupyter_qguard.scan.text import decode_text
from jupyter_qguard.scan.upstream import Upstream
from jupyter_qguard.scan.view import View, ViewBuilder
from jupyter_qguard.scan.views import bind, code_of, unit_views
from jupyter_qguard.secret import is_handle, is_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.buffer import Together
    from jupyter_qguard.scan.fold import Constant
    from jupyter_qguard.scan.settings import ScanSettings
    from jupyter_qguard.scan.views import Viewed

UNIT_BITS = 20
"""Fragment numbers: unit number shifted by so many bits, plus the fragment's number in its unit."""
DEEPEST = 3
"""Depths of encodings within encodings, the text itself and its views included."""
_TEXT_HEAD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef")
"""First letters of base64 groups that decode to ASCII."""
_SHORTEST_ENCODED = 20


class Scanner:
    """Compiled rules and settings. Not safe for two threads at once; cheap to have one per worker."""

    def __init__(self, settings: ScanSettings, spotter: Spotter, upstream: Upstream, glancer: Glancer) -> None:
        """Use :meth:`load`."""
        self.settings = settings
        self.rules = load_ruleset()
        self.spotter = spotter
        self._upstream = upstream
        self._glancer = glancer
        self.patterns = {name: re.compile(text) for name, text in settings.patterns.items()}

    @classmethod
    def load(cls, settings: ScanSettings, *, announce: Callable[[str], None] | None = None) -> Scanner:
        """Load the compiled rules, or compile them once: *announce* is told before that."""
        folder = settings.cache_dir or default_cache_dir()
        trusted = folder if prepare(folder) else None
        rules, upstream = load_ruleset(), Upstream(trusted, announce)
        return cls(settings, Spotter.load(rules, trusted), upstream, Glancer.load(rules, upstream, trusted))

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:
        """Scan a parsed notebook of nbformat 3 or 4. Raises InputError if it is none."""
        check_notebook(document)
        return self._scan(notebook_units(document), stated(document))

    def scan_text(self, text: str) -> ScanResult:
        """Scan plain text. Findings have the pointer ``""``."""
        return self._scan([Unit((), None, None, "", (Fragment((), text, Kind.TEXT),))], None)

    def scan_bytes(self, data: bytes, name: str, *, glance: bool = False) -> ScanResult:
        """Scan a file's bytes: a notebook if its *name* ends with ``.ipynb``, else text. Raises InputError.

        With *glance* only the cells of a notebook are read that a look at its bytes finds worth it, which is several
        times as fast; what Jupyter would refuse elsewhere, such as a number of ten thousand digits, goes unsaid then.
        """
        if not name.lower().endswith(".ipynb"):
            return scan_mixed(data, self.scan_text) if b"\0" in data else self.scan_text(decode_text(data))
        seen = self._glancer.look(data) if glance and len(data) >= SMALLEST and not self.patterns else None
        if seen is not None:
            units, own = seen.units(), stated({"metadata": seen.metadata()})
            result = self._label(units, own) if seen.only_labels else self._scan(units, own, seen.vendors)
            if not result.findings and not result.suppressed:
                return result
            # What was found may stand anywhere else too.
        return self.scan_notebook(parse_notebook(data))

    def _label(self, units: list[Unit], own: Classification | None) -> ScanResult:
        """Scan what holds no credential."""
        if not units:
            return ScanResult((), stated=own)
        buffer = plain_buffer(units)
        spots = self.spotter.spot(buffer.close())
        found = list(labels(buffer, spots.labels, self.settings.classify, self.patterns))
        return Reporter(units, self.settings, UNIT_BITS).result([], found, own)

    def _scan(
        self, units: list[Unit], own: Classification | None, vendors: AbstractSet[str] = frozenset()
    ) -> ScanResult:
        context = Context(vendors=set(vendors))
        plain = self._read(plain_buffer(units), context)
        passes = more = [plain, self._read(_view_buffer(units, context), context)]
        found = [candidate for each in passes for candidate in each.judge.candidates()]
        for depth in range(1, DEEPEST):
            decoded = [decoded_buffer(each.buffer, each.spots, depth) for each in more]
            more = [self._read(buffer, context) for buffer in decoded if buffer.segments]
            if not more:
                break
            passes = [*passes, *more]
            found += [candidate for each in more for candidate in each.judge.candidates()]
        found += [candidate for each in passes for candidate in self.maintained(each.buffer, each.data)]
        kept = resolve(locate(found))
        if kept:
            values = repeated(kept)
            again = [copy for each in passes for copy in copies(each.buffer, values)]
            kept = resolve(locate([*found, *again]))
        labelled = list(labels(plain.buffer, plain.spots.labels, self.settings.classify, self.patterns))
        return Reporter(units, self.settings, UNIT_BITS).result(kept, labelled, own)

    @lru_cache(maxsize=4096)  # noqa: B019 - a scanner lives as long as its process
    def tells(self, label: str) -> bool:
        """Whether a key or heading says that its value is a credential."""
        return self.rules.meaning(label.strip(" :*")) is not Role.NONE

    def _read(self, buffer: Buffer, context: Context) -> _Pass:
        """Spot what a buffer holds and note it in the context."""
        data = buffer.close()
        spots = self.spotter.spot(data) if buffer.segments else Spots()
        return _Pass(buffer, data, spots, Judge(self.rules, buffer, spots, context))

    def may_be_maintained(self, together: Together) -> set[int | None]:
        """The numbers of the texts in which :meth:`maintained` may find something."""
        return {together.text(end - 1) for end in self._upstream.places(together.data)}

    def maintained(self, buffer: Buffer, data: bytes) -> Iterator[Candidate]:
        """Findings of the maintained catalogue in a closed buffer."""
        for hit in self._upstream.find(data) if buffer.segments else ():
            segment = buffer.segment(hit.start)
            if segment is None or hit.end > segment.end:
                continue
            start = hit.start
            if hit.rule_id == "curl-auth-user":  # it takes the user as well
                start += buffer.text[hit.start : hit.end].find(":") + 1
            value = buffer.text[start : hit.end]
            default = f"/{value}:" in buffer.text[max(segment.start, start - len(value) - 2) : start]
            if default or is_handle(value) or is_mark(value) or (hit.generic and is_placeholder(value)):
                continue
            weight = Weight.UPSTREAM_GENERIC if hit.generic else Weight.UPSTREAM
            yield Candidate(hit.rule_id, None, segment, start, hit.end, value, hit.confidence, weight, hit.name)


@dataclass(frozen=True, slots=True)
class _Pass:
    """A buffer and what was spotted in it."""

    buffer: Buffer
    data: bytes
    spots: Spots
    judge: Judge


def plain_buffer(units: Sequence[Unit], first: int = 0) -> Buffer:
    """The fragments of units, numbered from *first*, as they stand; those with control sequences without them, and
    those put together from pieces in pieces as well."""
    buffer = Buffer()
    for number, unit in enumerate(units, first):
        for index, fragment in enumerate(unit.fragments):
            identifier = (number << UNIT_BITS) + index
            _add_plain(buffer, fragment, number, identifier, None)
            if fragment.seams:
                whole = View.identity(fragment.text, identifier)
                _add_plain(buffer, fragment, number, identifier, decode.split_at(whole, fragment.seams))
    return buffer


def _add_plain(buffer: Buffer, fragment: Fragment, number: int, identifier: int, view: View | None) -> None:
    if "\x1b" in fragment.text:
        view = decode.strip_ansi(view or View.identity(fragment.text, identifier))
    buffer.add(
        fragment.text if view is None else view.text,
        unit=number,
        fragment=identifier,
        label=fragment.label if fragment.kind in (Kind.METADATA, Kind.JSON) else "",
        kind=fragment.kind,
        view=view,
        depth=0,
    )


def _view_buffer(units: Sequence[Unit], context: Context) -> Buffer:
    """What decoding shows, of the units in which anything was spotted, and what constants flow into."""
    buffer = Buffer()
    names: dict[str, Constant] = {}
    sources = (
        [(number, source) for number, unit in enumerate(units) for source in code_of(unit)] if context.sinks else []
    )
    folded = feeders(sources, context.sinks, chosen=context.chosen)
    for number, unit in enumerate(units):
        fold, marked = number in folded, number in context.marked
        if fold or marked:
            viewed = unit_views(unit, number << UNIT_BITS, names, marked=marked, fold=fold)
            bind(names, viewed.bound)
            add_views(buffer, viewed, number)
    return buffer


def add_views(buffer: Buffer, viewed: Viewed, unit: int) -> None:
    """Append the views of a unit."""
    for view, kind in viewed.views:
        buffer.add(view.text, unit=unit, fragment=-1, label="", kind=kind, view=view, depth=1)


def decoded_buffer(buffer: Buffer, spots: Spots, depth: int) -> Buffer:
    """A buffer of what the base64 runs of *buffer* say."""
    out = Buffer()
    text = buffer.text
    done = -1
    for start, end in spots.runs if spots.may_be_encoded else ():
        if end - start < _SHORTEST_ENCODED or start < done or not _may_be_text(text, start):
            continue
        segment = buffer.segment(start)
        if segment is None or end > segment.end:
            continue
        said = decode.decode_base64_run(text, start, end, segment.end)
        if said is not None:
            done = end
            run = (start - segment.start, said[0] - segment.start)
            view = ViewBuilder().append_decoded(said[1], _view_of(segment, text), *run).build()
            out.add(view.text, unit=segment.unit, fragment=-1, label="", kind=segment.kind, view=view, depth=depth)
    return out


def _view_of(segment: Any, text: str) -> View:
    if segment.view is not None:
        return segment.view  # type: ignore[no-any-return]
    return View.identity(text[segment.start : segment.end], segment.fragment)


def _may_be_text(text: str, start: int) -> bool:
    return (
        text[start] in _TEXT_HEAD
        and text[start + 4] in _TEXT_HEAD
        and text[start + 8] in _TEXT_HEAD
        and text[start + 12] in _TEXT_HEAD
    )


def stated(document: Mapping[str, Any]) -> Classification | None:
    """The class a notebook states of itself in ``metadata.qguard.classification``."""
    metadata = document.get("metadata")
    own = metadata.get("qguard") if isinstance(metadata, dict) else None
    value = own.get("classification") if isinstance(own, dict) else None
    return Classification.__members__.get(value.upper()) if isinstance(value, str) else None
