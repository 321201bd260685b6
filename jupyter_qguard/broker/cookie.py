"""A cookie that a vendor sets (RFC 6265, section 4.1): its value, and what may be said of it to the kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = {
    "domain": re.compile(r"\.?[A-Za-z0-9.-]{1,253}"),
    "path": re.compile(r"/[A-Za-z0-9._~/-]{0,200}"),
    "samesite": re.compile(r"Lax|Strict|None", re.IGNORECASE),
    "secure": re.compile(""),
    "httponly": re.compile(""),
}
"""Attributes that are passed on, where they are as simple as they commonly are."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """What one header ``Set-Cookie`` says."""

    name: str
    value: str
    attributes: tuple[tuple[str, str], ...]
    """Those that are passed on."""
    seconds: float | None
    """How long it is good for; None where the vendor does not say."""

    def __repr__(self) -> str:
        """Without the value."""
        return f"SetCookie({self.name})"

    def holding(self, handle: str) -> str:
        """The header's value with *handle* in the place of the cookie's."""
        words = [f"{name}={value}" if value else name for name, value in self.attributes]
        if self.seconds is not None:
            words.append(f"max-age={max(int(self.seconds), 0)}")
        return "; ".join((f"{self.name}={handle}", *words))


def read_cookie(text: str, now: float) -> SetCookie | None:
    """The cookie that *text*, a header's value, sets at *now* (seconds since the epoch); None if it is none."""
    pair, *rest = text.split(";")
    name, found, value = (part.strip() for part in pair.partition("="))
    if not found or not _NAME.fullmatch(name):
        return None
    attributes: dict[str, str] = {}
    for part in rest:
        word, _, said = part.partition("=")
        attributes[word.strip().lower()] = said.strip()
    passed = [(word, said) for word, said in attributes.items() if word in _PLAIN and _PLAIN[word].fullmatch(said)]
    return SetCookie(name, value.strip('"'), tuple(passed), _seconds(attributes, now))


def _seconds(attributes: dict[str, str], now: float) -> float | None:
    try:
        return float(int(attributes["max-age"]))
    except (KeyError, ValueError):
        pass
    try:
        return parsedate_to_datetime(attributes["expires"]).timestamp() - now
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
