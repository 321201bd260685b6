"""Hosts and host patterns: one spelling for each host, so that a comparison is a comparison of what will be dialled.

Spelling follows UTS #46 and RFC 5890 for names, RFC 5952 for IPv6, and what resolvers accept for IPv4 (``127.1``,
``0x7f000001``): whoever dials must dial the spelling given here, never the one that came in.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import NoReturn

import idna

from jupyter_qguard.errors import InputError

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
"""Letters, digits, hyphens and, as service names have them, underscores: RFC 1123 and RFC 2782."""
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[^\]]*\]):(?P<port>[0-9]{1,5})")
_MAX_NAME = 253
_MAX_TEXT = 1000
"""Longer than any spelling of a name of 253 characters; keeps the work on hostile text small."""
_MAX_IPV4_PARTS = 4


class HostError(InputError):
    """Text that names no host, or a pattern that is not allowed; says what to write instead where that is clear."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host in its one spelling."""

    name: str
    """Lower-case A-labels without a trailing dot, or the canonical text of the address."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    """Set where the host is an IP literal."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class HostPattern:
    """One host, or all hosts one or more labels below a name."""

    host: Host
    below: bool = False
    """True for ``*.NAME``: everything below the name, never the name itself."""

    @classmethod
    def parse(cls, text: str) -> HostPattern:
        """The pattern that *text* spells.

        Raises
        ------
        HostError
            *text* is no host, or has a wildcard anywhere but as the whole first label of ``*.NAME.TLD``.
        """
        _refuse_url(text)
        if text.startswith("."):
            _refuse(text, f"write `*{text}` for every host below it")
        if "*" not in text:
            return cls(normalise_host(text))
        first, _, rest = text.partition(".")
        if first != "*" or "*" in rest or not rest.strip("."):
            _refuse(text, _wildcard_help(text))
        host = normalise_host(rest)
        if host.address is not None:
            _refuse(text, f"an address has nothing below it: write `{host}` and its `addresses`")
        if "." not in host.name:
            _refuse(
                text, f"that is every host under `{host}`: a wildcard needs two labels after it, `*.example.{host}`"
            )
        return cls(host, below=True)

    def matches(self, host: Host) -> bool:
        """Whether *host* is one that this pattern names."""
        if self.below:
            return host.address is None and host.name.endswith(f".{self.host.name}")
        return host == self.host

    def __str__(self) -> str:
        return f"*.{self.host}" if self.below else self.host.name


def normalise_host(text: str) -> Host:
    """The one spelling of the host that *text* names: no port, no scheme, no zone.

    Raises
    ------
    HostError
        *text* is no host name and no IP literal.
    """
    if not text or len(text) > _MAX_TEXT:
        _refuse(text, "a host has 1 to 253 characters")
    if text.startswith("[") or ":" in text:
        return _ipv6(text)
    name = _mapped(text).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(text, labels)
    name = ".".join(_label(text, label) for label in labels)
    if len(name) > _MAX_NAME:
        _refuse(text, "a host has 1 to 253 characters")
    return Host(name)


def _mapped(text: str) -> str:
    if text.isascii():
        return text.lower()
    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except (idna.IDNAError, ValueError):
        _refuse(text, "it has characters that no host name can have")


def _label(text: str, label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        if not _LABEL.fullmatch(label):
            _refuse(text, "each label has 1 to 63 letters, digits or hyphens, and no hyphen at an end")
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, ValueError):
        _refuse(text, "a label of it is no valid internationalised name")


def _ipv6(text: str) -> Host:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.IPv6Address(bare)
    except ValueError:
        _refuse(text, "it is neither a name nor an IP address; ports stand apart")
    if address.scope_id is not None:
        _refuse(text, "an address with a zone means something else on every machine")
    literal = address.ipv4_mapped or address
    return Host(str(literal), literal)


def _ipv4(text: str, labels: list[str]) -> Host:
    """As inet_aton reads it: one to four numbers, the last of which fills the bytes that are left."""
    numbers = [_number(text, label) for label in labels]
    if len(numbers) > _MAX_IPV4_PARTS:
        _refuse(text, "a name cannot end in a number, and an IPv4 address has at most four")
    *front, last = numbers
    left = 8 * (_MAX_IPV4_PARTS - len(front))
    if any(number > 0xFF for number in front) or last >= 1 << left:
        _refuse(text, "a number in the IPv4 address is too large")
    value = last
    for position, number in enumerate(front):
        value |= number << (24 - 8 * position)
    address = ipaddress.IPv4Address(value)
    return Host(str(address), address)


def _number(text: str, label: str) -> int:
    if not _NUMBER.fullmatch(label):
        _refuse(text, "a name cannot end in a number")
    try:
        if label[:2] in ("0x", "0X"):
            return int(label[2:] or "0", 16)
        return int(label, 8 if label[0] == "0" else 10)
    except ValueError:
        _refuse(text, "a number in the IPv4 address is not octal, as its leading 0 says")


def _refuse_url(text: str) -> None:
    if _SCHEME.match(text) or "/" in text or "@" in text:
        host = _SCHEME.sub("", text, count=1).rpartition("@")[2].partition("/")[0]
        _refuse(text if "@" not in text else "…", f"write the host alone: `{_shown(host)}`")
    port = _PORT.fullmatch(text)
    if port:
        _refuse(text, f"write `host: {_shown(port['host'])}` and `ports: [{port['port']}]`")


def _wildcard_help(text: str) -> str:
    if not text.strip("*."):
        return "it would allow every host: name the hosts, or write `*.example.org` for those below one name"
    tail = text.rpartition("*")[2].lstrip(".-")
    if "." in tail:
        return f"a wildcard is the whole first label and nothing else: write `*.{_shown(tail)}`"
    return "a wildcard is the whole first label and nothing else, as in `*.example.org`"


def _shown(text: str) -> str:
    """*text* fit for a message: printable and short."""
    safe = "".join(char if char.isprintable() and char != "`" else "?" for char in text[:80])
    return safe if len(text) <= len(safe) else f"{safe}…"


def _refuse(text: str, problem: str) -> NoReturn:
    message = f"`{_shown(text)}` cannot be used as a host: {problem}"
    raise HostError(message)
