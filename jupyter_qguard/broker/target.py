"""The target of a request in one spelling: what was judged is what goes out, and no two readers differ about it.

Stricter than RFC 3986: what servers are known to read in two ways (dot segments, empty segments, encoded slashes and
dots, backslashes, parameters, a percent sign that was encoded itself) is refused instead of resolved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError

MAX_TARGET = 8000
"""Characters; servers commonly take 8 KiB."""
_ORIGIN = re.compile(
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,=:@%/-]*)(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]|^-]*))?"
)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")
_TWO_READINGS = frozenset("/\\.%;?#\0")
"""Encoded in a path, some servers decode them before they route and some after."""


@dataclass(frozen=True, slots=True)
class Target:
    """A request target that was understood."""

    path: str
    """Canonical: unreserved characters decoded, other escapes in capitals."""
    query: str = ""
    """As it came, without the question mark."""

    def __str__(self) -> str:
        """As it goes out."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def segments(self) -> tuple[str, ...]:
        """Of the path; a trailing slash is an empty last one."""
        return tuple(self.path[1:].split("/"))

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Of the query, decoded, in their order."""
        pairs = (part.partition("=") for part in re.split("[&;]", self.query) if part)
        return tuple((_decoded(name), _decoded(value)) for name, _, value in pairs)


def parse_target(text: str) -> Target:
    """The target of a request line or of an HTTP/2 ``:path``.

    Raises
    ------
    RequestRefusedError
        It is none in origin form, too long, or could be read in two ways.
    """
    if len(text) > MAX_TARGET:
        raise RequestRefusedError(Cause.GUARD, "the address of the request is too long", status=414)
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise _unclear("it is not a plain path")
    path, query = found["path"], found["query"] or ""
    if _BROKEN_ESCAPE.search(path) or _BROKEN_ESCAPE.search(query):
        raise _unclear("it holds a broken escape")
    if not _TWO_READINGS.isdisjoint(unquote(code) for code in re.findall("%..", path)):
        raise _unclear("it holds an encoded separator")
    path = _ESCAPE.sub(_canonical, path)
    segments = path[1:].split("/")
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise _unclear("it holds an empty or a dot segment")
    return Target(path, query)


def _canonical(escape: re.Match[str]) -> str:
    char = chr(int(escape[1], 16))
    return char if char in _UNRESERVED else f"%{escape[1].upper()}"


def _decoded(text: str) -> str:
    return unquote(text.replace("+", " "))


def _unclear(problem: str) -> RequestRefusedError:
    return RequestRefusedError(
        Cause.GUARD, f"the address of the request can be read in two ways: {problem}", status=400
    )
