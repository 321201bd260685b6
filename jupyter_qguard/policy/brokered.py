"""Which hosts are brokered: those where a vendor of an access entry in force takes its credential. Total and pure.

There every request is opened and judged, in every mode, whatever else the policy says of the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody, HostRole
from jupyter_qguard.policy.egress import why_not_now
from jupyter_qguard.policy.preset import preset_hosts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from jupyter_qguard.policy.host import Host
    from jupyter_qguard.policy.model import AccessEntry, Policy, Who
    from jupyter_qguard.policy.preset import PresetHost

_ROLES = frozenset({HostRole.API, HostRole.AUTH})
"""Where results lie (an object store, by an address that was signed) no credential of the vendor is taken."""


def brokered_entries(policy: Policy, host: Host, port: int, *, today: dt.date, person: Who) -> tuple[AccessEntry, ...]:
    """The entries that a request to *host* may be made under, all of one vendor; none where it is not brokered."""
    found: dict[str, AccessEntry] = {}
    for entry, preset in _brokered(policy, today, person):
        if preset.port == port and preset.host.matches(host):
            found.setdefault(entry.name, entry)
    first = next(iter(found.values()), None)
    return tuple(entry for entry in found.values() if first is not None and entry.vendor == first.vendor)


def brokered_hosts(policy: Policy, *, today: dt.date, person: Who) -> frozenset[str]:
    """The names of all of them: what a kernel's certificate authority vouches for."""
    return frozenset(preset.host.host.name for _, preset in _brokered(policy, today, person) if not preset.host.below)


def _brokered(policy: Policy, today: dt.date, person: Who) -> Iterator[tuple[AccessEntry, PresetHost]]:
    vendors = load_catalog().vendors
    for entry in policy.access:
        vendor = vendors.get(entry.vendor)
        if vendor is None or vendor.brokering.custody is not Custody.BROKERED or why_not_now(entry, today, person):
            continue
        for preset in preset_hosts(entry):
            if preset.role in _ROLES:
                yield entry, preset
