"""Which views are made of which fragments: the cheap decodings that need no search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan import decode
from jupyter_qguard.scan.flow import feeders
from jupyter_qguard.scan.fold import fold_cell, needs_folding
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role, role
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.fold import Constant
    from jupyter_qguard.scan.fragment import Fragment, Unit

_FOLDED = frozenset((Kind.CODE, Kind.TEXT))
_HIDING = re.compile("[\x1b<&\\\\%\u00ad\u200b-\u200d\u2060\ufeff]")
"""What begins a colour, markup, an entity, an escape, or a percent-encoded byte; and what is not seen."""
_MARKUP = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")


def fragment_views(
    units: Sequence[Unit], bits: int, marked: AbstractSet[int], sinks: AbstractSet[int], *, chosen: bool
) -> Iterator[tuple[View, int, Kind]]:
    """Every decoded view of every fragment of the *marked* units, with unit and kind.

    Code is folded in the *sinks*, and in what may bind a constant that flows into one; *chosen*: one may be a password.
    """
    names: dict[str, Constant] = {}
    folded = feeders(_code(units), sinks, chosen=chosen) if sinks else set()
    for number, unit in enumerate(units):
        streams: list[tuple[int, Fragment]] = []
        for index, fragment in enumerate(unit.fragments):
            identifier = (number << bits) + index
            if number in folded and fragment.kind in _FOLDED and needs_folding(fragment.text):
                for view in _folded(fragment, identifier, names):
                    yield view, number, fragment.kind
            if number not in marked:
                continue
            if fragment.kind is Kind.STREAM:
                streams.append((identifier, fragment))
            for view in _decoded(fragment, identifier):
                yield view, number, fragment.kind
        if len(streams) > 1:
            yield _joined(streams), number, Kind.STREAM


def _code(units: Sequence[Unit]) -> list[tuple[int, str]]:
    """The code of each unit that has any, by its number."""
    return [
        (number, fragment.text)
        for number, unit in enumerate(units)
        for fragment in unit.fragments
        if fragment.kind in _FOLDED
    ]


def _folded(fragment: Fragment, identifier: int, names: dict[str, Constant]) -> Iterator[View]:
    """The cell with its constants folded, and each name that says credential with the constant bound to it."""
    folded = fold_cell(fragment.text, identifier, names)
    _update(names, folded.names)
    if folded.view is not None:
        yield folded.view
    for name, value in folded.names.items():
        if value is not None and role(name) is not Role.NONE:
            bound = ViewBuilder().insert(f'{name} = "').append_slice(value.view, 0, len(value.view.text)).insert('"\n')
            yield bound.build()


def _update(names: dict[str, Constant], bound: dict[str, Constant | None]) -> None:
    for name, value in bound.items():
        if value is None:
            names.pop(name, None)
        else:
            names[name] = value


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
