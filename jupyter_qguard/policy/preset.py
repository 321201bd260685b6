"""Which hosts an access entry brings: those of its vendor in the catalogue that serve, sign in and hold results.

Never a telemetry host, never a web page, nothing without TLS, and of what varies (``{region}``, ``{bucket}``) only what
the entry names: a wildcard over shared storage would be a way out through anybody's bucket.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import HostRole, Protocol
from jupyter_qguard.policy.host import HostError, HostPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.catalog.model import Host as CatalogHost
    from jupyter_qguard.policy.model import AccessEntry

_ROLES = frozenset({HostRole.API, HostRole.AUTH, HostRole.RESULTS})
_WITH_TLS = frozenset({Protocol.HTTPS, Protocol.GRPC, Protocol.WSS})
_VARIES = re.compile(r"\{([a-z_]+)\}")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""One label: a setting with a dot in it would make another host of the pattern."""


@dataclass(frozen=True, slots=True)
class PresetHost:
    """A host that a vendor's SDK needs."""

    host: HostPattern
    port: int
    role: HostRole = HostRole.API


def preset_hosts(entry: AccessEntry) -> tuple[PresetHost, ...]:
    """The hosts of *entry*'s vendor, narrowed to its regions and settings; none for an unknown vendor."""
    vendor = load_catalog().vendors.get(entry.vendor)
    if vendor is None:
        return ()
    found: dict[PresetHost, None] = {}
    for host in vendor.hosts:
        if host.role in _ROLES and host.protocol in _WITH_TLS:
            found.update(dict.fromkeys(_spelled(host, entry)))
    return tuple(found)


def _spelled(host: CatalogHost, entry: AccessEntry) -> Iterator[PresetHost]:
    names = list(dict.fromkeys(_VARIES.findall(host.host)))
    for values in itertools.product(*(_choices(name, entry) for name in names)):
        text = host.host
        for name, value in zip(names, values, strict=True):
            text = text.replace(f"{{{name}}}", value)
        try:
            yield PresetHost(HostPattern.parse(text), host.port, host.role)
        except HostError:
            continue  # a catalogue host that is no host allows nothing


def _choices(name: str, entry: AccessEntry) -> tuple[str, ...]:
    given = (entry.settings.get(name, ""),)
    values = (entry.regions or given) if name in ("region", "location") else given
    return tuple(value for value in values if _LABEL.fullmatch(value))
