"""Decoding steps: each takes a view and yields another in which hidden text can be read, or None if nothing is hidden."""

from __future__ import annotations

import enum
import html
import re
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote

from jupyter_qguard.scan.payload import decode_base64, is_text
from jupyter_qguard.scan.view import View, ViewBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_OR_LINE = re.compile(_ENTITY.pattern + r"|\s*\n\s*")
_TAG = re.compile(
    r"<!--.*?-->|</?([A-Za-z][A-Za-z0-9:-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|<!\[CDATA\[|\]\]>", re.DOTALL
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([/_*\-#%&${}.~+=]))")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_CELL_TAGS = frozenset(("td", "th"))
_TABLE_TAGS = frozenset("table thead tbody tfoot tr colgroup col caption".split())
_COLUMNS = re.compile(r"""colspan\s{0,2}=\s{0,2}["']?([1-9]\d?)\b""", re.IGNORECASE)
_INLINE_TAGS = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub sup time "
    "tspan tt u var wbr".split()
)
"""Elements that may stand inside of a word; all others end it."""
_WRAPPED_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:(?:\\r)?(?:\\n|\s)[\s\"'+\\]{0,12}[A-Za-z0-9+/_-]+)*={0,2}")
_WRAPPED = re.compile(r"(?<=[A-Za-z0-9_+/=.~-]{8})\n(?=[A-Za-z0-9_+/=.~-]{6})")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]+")
_NO_BASE64 = re.compile(r"\\[rn]|[^A-Za-z0-9+/=_-]")
_HEAD = 256
LONGEST_DECODED = 1 << 20
"""Code points of one encoded run that is decoded; a longer one is a payload."""


def split_at(view: View, seams: Sequence[int]) -> View:
    """With a line end put in at each of *seams*."""
    builder = ViewBuilder()
    for start, end in pairwise((0, *seams, len(view.text))):
        builder.append_slice(view, start, end).insert("\n")
    return builder.build()


def strip_ansi(view: View) -> View | None:
    """Without terminal control sequences (ECMA-48), also those inside a token."""
    if "\x1b" not in view.text:
        return None
    return _replace(view, ANSI, lambda _match: "")


def unescape_entities(view: View) -> View | None:
    """With HTML character references resolved."""
    if "&" not in view.text or _ENTITY.search(view.text) is None:
        return None
    return _replace(view, _ENTITY, lambda match: html.unescape(match.group()))


def strip_tags(view: View) -> View | None:
    """The text of HTML, SVG or XML as a reader sees it: a table row is one line, a tab before each cell."""
    if "<" not in view.text:
        return unescape_entities(view)
    builder = ViewBuilder()
    done = 0
    where = _Where.TEXT
    for match in _TAG.finditer(view.text):
        _append_text(builder, view, done, match.start(), where)
        name, closing = (match.group(1) or "").lower(), match.group().startswith("</")
        builder.insert(_separator(name, where, closing=closing))
        if name in _CELL_TAGS and not closing:
            span = _COLUMNS.search(match.group())
            builder.insert("\t" * (int(span.group(1)) - 1 if span else 0))
        where = _where(name, where, closing=closing)
        done = match.end()
    if not done:
        return unescape_entities(view)
    _append_text(builder, view, done, len(view.text), where)
    return builder.build()


class _Where(enum.Enum):
    """Where in a document a text stands: blanks between the cells of a table are layout of its source."""

    TEXT = enum.auto()
    ROW = enum.auto()
    CELL = enum.auto()


def _where(name: str, before: _Where, *, closing: bool) -> _Where:
    if name in _CELL_TAGS:
        return _Where.ROW if closing else _Where.CELL
    if name in _TABLE_TAGS:
        return _Where.TEXT if closing and name == "table" else _Where.ROW
    return before


def _append_text(builder: ViewBuilder, view: View, start: int, end: int, where: _Where) -> None:
    if where is _Where.ROW and not view.text[start:end].strip():
        return
    done = start
    for match in (_ENTITY_OR_LINE if where is _Where.CELL else _ENTITY).finditer(view.text, start, end):
        builder.append_slice(view, done, match.start())
        if match.group()[0] == "&":
            builder.append_decoded(html.unescape(match.group()), view, match.start(), match.end())
        else:
            builder.insert(" ")
        done = match.end()
    builder.append_slice(view, done, end)


def _separator(name: str, where: _Where, *, closing: bool) -> str:
    if name in _CELL_TAGS or name in _TABLE_TAGS:
        opens = "\t" if name in _CELL_TAGS else "\n" if name in ("tr", "table") else ""
        return ("\n" if name == "table" else "") if closing else opens
    if name == "dd":
        return "\t"
    if name == "dt" and closing:  # its value follows in a <dd>
        return ""
    if name in _INLINE_TAGS or not name:
        return ""
    return " " if where is _Where.CELL else "\n"


def unescape_backslashes(view: View) -> View | None:
    r"""With ``\u0041``, ``\x41``, JSON's ``\/`` and the ``\_`` of LaTeX and Markdown resolved."""
    if "\\" not in view.text or _ESCAPE.search(view.text) is None:
        return None
    return _replace(view, _ESCAPE, _unescape)


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2) or match.group(3)
    if code is None:
        return match.group(4)
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else "\ufffd"


def join_wrapped_lines(view: View) -> View | None:
    """With the line ends taken out that stand between two characters a token may hold: a traceback wrapped it."""
    if _WRAPPED.search(view.text) is None:
        return None
    return _replace(view, _WRAPPED, lambda _match: "")


def strip_invisible(view: View) -> View | None:
    """Without characters that show nothing and that a page may put into a word so that it breaks there."""
    if view.text.isascii() or _INVISIBLE.search(view.text) is None:
        return None
    return _replace(view, _INVISIBLE, lambda _match: "")


def unquote_percent(view: View) -> View | None:
    """With percent-encoding (RFC 3986) resolved."""
    if "%" not in view.text or _PERCENT.search(view.text) is None:
        return None
    return _replace(view, _PERCENT, lambda match: unquote(match.group(), errors="replace"), each=3)


def decode_base64_run(text: str, start: int, end: int, high: int) -> tuple[int, str] | None:
    """Where the base64 run at ``text[start:end]`` ends and what it says, if that is text.

    A run that is wrapped over several lines is taken whole, beyond *end*, as far as *high*.
    """
    match = _WRAPPED_BASE64.match(text, start, high)
    for stop in (match.end(), end) if match and match.end() > end else (end,):
        head = _NO_BASE64.sub("", text[start : min(stop, start + _HEAD)])
        if len(head) > 64 and not _begins_as_text(head):  # so that a long payload is not cleaned for nothing
            continue
        run = _NO_BASE64.sub("", text[start:stop])
        if not 16 <= len(run) <= LONGEST_DECODED or not _begins_as_text(run):
            continue
        data = decode_base64(run)
        if data is not None and len(data) >= 8 and is_text(data):
            return stop, data.decode("utf-8")
    return None


def _begins_as_text(run: str) -> bool:
    head = decode_base64(run[:64])
    return head is not None and is_text(head if len(run) <= 64 else head[:44])


def _replace(view: View, pattern: re.Pattern[str], decode: object, each: int = 0) -> View:
    """A view in which every match of *pattern* is decoded; *each* > 0 says that so many characters make one."""
    assert callable(decode)  # noqa: S101 - a function of one match
    builder = ViewBuilder()
    done = 0
    for match in pattern.finditer(view.text):
        start, end = match.span()
        builder.append_slice(view, done, start)
        text = decode(match)
        if each and len(text) * each == end - start:
            for number, char in enumerate(text):
                builder.append_decoded(char, view, start + number * each, start + (number + 1) * each)
        else:
            builder.append_decoded(text, view, start, end)
        done = end
    builder.append_slice(view, done, len(view.text))
    return builder.build()
