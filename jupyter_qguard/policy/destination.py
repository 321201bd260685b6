"""A host and port as a person writes them: a URL, a host, ``host:port``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_qguard.errors import InputError
from jupyter_qguard.policy.host import HostError, normalise_host

if TYPE_CHECKING:
    from jupyter_qguard.policy.host import Host

HTTPS_PORT = 443
_PORTS = {"https": HTTPS_PORT, "wss": HTTPS_PORT, "grpcs": HTTPS_PORT, "http": 80, "ws": 80}
_WITH_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[^\]]*\]):(?P<port>[0-9]{1,5})")
_FILES = frozenset("cfg csv env html ini ipynb jl json log md py r sh toml tsv txt xml yaml yml".split())
"""Endings that make a bare word a file, though some of them are top-level domains too: a URL says it beyond doubt."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a connection goes."""

    host: Host
    port: int


def is_destination(text: str) -> bool:
    """Whether *text* means a host rather than a file."""
    if "://" in text or _WITH_PORT.fullmatch(text):
        return True
    if "/" in text or "." not in text or text.rpartition(".")[2].lower() in _FILES:
        return False
    try:
        normalise_host(text)
    except HostError:
        return False
    return True


def parse_destination(text: str) -> Destination:
    """The destination that *text* names; port 443 unless it says otherwise.

    Raises
    ------
    InputError
        It names none.
    """
    if "://" in text:
        try:
            url = urlsplit(text)
            host, port = url.hostname or "", url.port
        except ValueError:
            message = "the URL cannot be read"
            raise InputError(message) from None
        return _destination(host, port or _PORTS.get(url.scheme.lower(), HTTPS_PORT))
    found = _WITH_PORT.fullmatch(text)
    if found:
        return _destination(found["host"], int(found["port"]))
    return _destination(text, HTTPS_PORT)


def _destination(host: str, port: int) -> Destination:
    if not 0 < port < 1 << 16:
        message = "a port is a number from 1 to 65535"
        raise InputError(message)
    return Destination(normalise_host(host), port)
