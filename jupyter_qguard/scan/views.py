"""Which views are made of which fragments: the cheap decodings that need no search."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_qguard.scan import decode
from jupyter_qguard.scan.flow import Source
from jupyter_qguard.scan.fold import fold_cell
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role, role
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold import Constant
    from jupyter_qguard.scan.fragment import Fragment, Unit

FOLDED = frozenset((Kind.CODE, Kind.TEXT))
_HIDING = re.compile("[\x1b<&\\\\%\u00ad\u200b-\u200d\u2060\ufeff]")
"""What begins a colour, markup, an entity, an escape, or a percent-encoded byte; and what is not seen."""
_MARKUP = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")


@dataclass(frozen=True, slots=True)
class Viewed:
    """What decoding and folding show of one unit."""

    views: tuple[tuple[View, Kind], ...]
    bound: Mapping[str, Constant | None]
    """Names that the unit binds for later ones; None for a name that is no longer constant."""
    asked: Mapping[str, Constant | None]
    """Names that were looked up, with what they were bound to: as long as that is so, all of this is so."""


class _Flow(Mapping[str, "Constant"]):
    """The names that earlier units bound, as one unit sees them. Keeps account of what was asked."""

    def __init__(self, names: Mapping[str, Constant]) -> None:
        self._names = names
        self.bound: dict[str, Constant | None] = {}
        self.asked: dict[str, Constant | None] = {}

    def get(self, name: str, default: Any = None) -> Any:
        if name in self.bound:
            value = self.bound[name]
        else:
            value = self.asked[name] = self._names.get(name)
        return default if value is None else value

    def __getitem__(self, name: str) -> Constant:
        value: Constant | None = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return self.get(str(name)) is not None

    def __iter__(self) -> Iterator[str]:
        """Nothing asks for all names; if anything did, nobody could say what it depends on."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Never empty, so that whoever wants to know asks for a name."""
        return 1


def unit_views(unit: Unit, first: int, names: Mapping[str, Constant], *, marked: bool, fold: bool) -> Viewed:
    """The views of a unit, whose fragments are numbered from *first*: decoded if it is *marked*, folded if wanted."""
    views: list[tuple[View, Kind]] = []
    streams: list[tuple[int, Fragment]] = []
    flow = _Flow(names)
    for identifier, fragment in enumerate(unit.fragments, first):
        if fold and fragment.kind in FOLDED:
            views += [(view, fragment.kind) for view in _folded(fragment, identifier, flow)]
        if not marked:
            continue
        if fragment.kind is Kind.STREAM:
            streams.append((identifier, fragment))
        views += [(view, fragment.kind) for view in _decoded(fragment, identifier)]
    if len(streams) > 1:
        views.append((_joined(streams), Kind.STREAM))
    return Viewed(tuple(views), flow.bound, flow.asked)


def code_of(unit: Unit) -> list[Source]:
    """The code of a unit."""
    return [Source(fragment.text) for fragment in unit.fragments if fragment.kind in FOLDED]


def bind(names: dict[str, Constant], bound: Mapping[str, Constant | None]) -> None:
    """Enter into *names* what a unit has bound."""
    for name, value in bound.items():
        if value is None:
            names.pop(name, None)
        else:
            names[name] = value


def _folded(fragment: Fragment, identifier: int, flow: _Flow) -> Iterator[View]:
    """The cell with its constants folded, and each name that says credential with the constant bound to it."""
    folded = fold_cell(fragment.text, identifier, flow)
    flow.bound.update(folded.names)
    if folded.view is not None:
        yield folded.view
    for name, value in folded.names.items():
        if value is not None and role(name) is not Role.NONE:
            bound = ViewBuilder().insert(f'{name} = "').append_slice(value.view, 0, len(value.view.text)).insert('"\n')
            yield bound.build()


def _decoded(fragment: Fragment, identifier: int) -> Iterator[View]:
    """Views in which terminal colours, markup, escapes and percent-encoding are resolved, one upon the other."""
    text = fragment.text
    wrapped = fragment.kind is Kind.ERROR and "\n" in text
    if not wrapped and _HIDING.search(text) is None:
        return
    view = View.identity(text, identifier)
    visible = decode.strip_invisible(view)
    if visible is not None:
        yield visible
        view = visible
    plain = decode.strip_ansi(view)
    if plain is not None:  # itself in the plain buffer already
        view = plain
    if wrapped and (joined := decode.join_wrapped_lines(view)) is not None:
        yield joined
    if fragment.html or (fragment.kind is not Kind.CODE and _MARKUP.search(text)):
        stripped = decode.strip_tags(view)
        if stripped is not None:
            yield stripped
    elif (unescaped := decode.unescape_entities(view)) is not None:
        yield unescaped
        view = unescaped
    if (unescaped := decode.unescape_backslashes(view)) is not None:
        yield unescaped
        view = unescaped
    if (unquoted := decode.unquote_percent(view)) is not None:
        yield unquoted


def _joined(streams: list[tuple[int, Fragment]]) -> View:
    """The stream outputs of a cell as one text: a kernel may flush in the middle of a token."""
    builder = ViewBuilder()
    for identifier, fragment in streams:
        builder.append(fragment.text, identifier, 0, len(fragment.text))
    return builder.build()
