"""What string methods do, done to views: every character keeps its way back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan.fold.constant import TEXT_LIMIT, decoded, runs_of
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MARGIN = re.compile(r"[ \t]*")


def concat(views: Iterable[View]) -> View:
    """One after the other."""
    return join(View("", ()), tuple(views))


def join(separator: View, views: Sequence[View]) -> View:
    """As ``separator.join(views)``."""
    builder = ViewBuilder()
    for number, view in enumerate(views):
        if number and separator.text:
            builder.append_slice(separator, 0, len(separator.text))
        builder.append_slice(view, 0, len(view.text))
    return builder.build()


def repeat(view: View, times: int) -> View | None:
    """As ``view * times``, None beyond the limit."""
    if times * max(len(view.text), len(view.pieces)) > TEXT_LIMIT:
        return None
    return concat([view] * times)


def cut(view: View, taken: slice) -> View:
    """As ``view[taken]``. A step other than one gives one piece for each character."""
    indices = range(*taken.indices(len(view.text)))
    if indices.step == 1:
        return view.slice(indices.start, max(indices.start, indices.stop))
    builder = ViewBuilder()
    for index in indices:
        builder.append_slice(view, index, index + 1)
    return builder.build()


def converted(view: View, convert: Callable[[str], str]) -> View:
    """With *convert* applied. Characters correspond unless the length changes (``"ß".upper()``)."""
    text = convert(view.text)
    if len(text) == len(view.text):
        return View(text, view.pieces)
    return decoded(text, runs_of(view))


def replaced(view: View, old: str, new: View, count: int) -> View | None:
    """As ``view.replace(old, new, count)``; None if *old* is empty or the limit is passed."""
    if not old or view.text.count(old) * len(new.text) > TEXT_LIMIT:
        return None
    builder = ViewBuilder()
    at = 0
    while count and (found := view.text.find(old, at)) >= 0:
        builder.append_slice(view, at, found)
        builder.append_slice(new, 0, len(new.text))
        at = found + len(old)
        count -= 1
    return builder.append_slice(view, at, len(view.text)).build()


def stripped(view: View, characters: str | None, *, left: bool = True, right: bool = True) -> View:
    """As ``view.strip(characters)``, or one side of it."""
    start = len(view.text) - len(view.text.lstrip(characters)) if left else 0
    end = len(view.text.rstrip(characters)) if right else len(view.text)
    return view.slice(start, max(start, end))


def split(view: View, separator: str | None, limit: int, *, from_right: bool = False) -> list[View]:
    """As ``view.split(separator, limit)`` or ``rsplit``."""
    texts = view.text.rsplit(separator, limit) if from_right else view.text.split(separator, limit)
    return _located(view, texts)


def partition(view: View, separator: str, *, from_right: bool = False) -> list[View]:
    """As ``view.partition(separator)`` or ``rpartition``."""
    return _located(view, view.text.rpartition(separator) if from_right else view.text.partition(separator))


def lines(view: View) -> list[View]:
    """As ``view.splitlines()``."""
    return _located(view, view.text.splitlines())


def _located(view: View, texts: Iterable[str]) -> list[View]:
    """Slices of *view* for texts that follow each other in it."""
    found: list[View] = []
    at = 0
    for text in texts:
        at = view.text.index(text, at)
        found.append(view.slice(at, at + len(text)))
        at += len(text)
    return found


def dedented(view: View) -> View:
    """As ``textwrap.dedent``: the margin that all lines share is taken off, blank lines become empty."""
    spans: list[tuple[int, int, bool]] = []
    margin: str | None = None
    at = 0
    for line in view.text.split("\n"):
        end = at + len(line)
        blank = not line.strip()
        spans.append((at, end, blank))
        if not blank:
            indent = _MARGIN.match(line)
            found = indent.group() if indent else ""
            margin = found if margin is None else _shared(margin, found)
        at = end + 1
    builder = ViewBuilder()
    for number, (start, end, blank) in enumerate(spans):
        if number:
            builder.append_slice(view, start - 1, start)
        builder.append_slice(view, end if blank else start + len(margin or ""), end)
    return builder.build()


def _shared(first: str, second: str) -> str:
    """The longest common beginning."""
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return first[:length]
