"""What a kernel was lent: handles, what each stands for, and until when. No value leaves a lease but to go on the wire."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_qguard.catalog.model import Vendor
    from jupyter_qguard.policy.model import AccessEntry
    from jupyter_qguard.secret import SecretValue


_MOST_GIVEN = 256
"""Handles of one lease that exchanges gave: a kernel may sign in again and again."""


@dataclass(frozen=True, slots=True)
class Held:
    """What stands behind one handle."""

    value: SecretValue
    credential: str
    """Rule id of the kind of credential."""
    field: str = ""
    """Name among the entry's secrets; empty for a lone one, and for what an exchange gave."""
    until: float = float("inf")
    """Seconds since the epoch; the lease may end before."""


@dataclass(slots=True)
class Lease:
    """One access entry, lent to one kernel."""

    id: str
    kernel: str
    entry: AccessEntry
    vendor: Vendor
    until: float
    """Seconds since the epoch."""
    handles: dict[str, Held] = field(default_factory=dict, repr=False)
    cuts: set[Callable[[], None]] = field(default_factory=set, repr=False)
    """What breaks off each request that is under way with it."""

    def held(self, handle: str, now: float) -> Held | None:
        """What *handle* stands for at *now*; None if nothing any more."""
        found = self.handles.get(handle)
        return found if found is not None and now < min(self.until, found.until) else None

    @property
    def ends(self) -> str:
        """When, as ISO 8601 in UTC."""
        return dt.datetime.fromtimestamp(self.until, dt.timezone.utc).isoformat(timespec="seconds")

    def values(self) -> Iterator[SecretValue]:
        """Every value that must not come back in an answer."""
        return (held.value for held in self.handles.values())


class LeaseBook:
    """The leases of all kernels."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._by_handle: dict[str, str] = {}

    def add(self, lease: Lease) -> None:
        """Take *lease* in, with the handles it has."""
        self._leases[lease.id] = lease
        for handle in lease.handles:
            self._by_handle[handle] = lease.id

    def extend(self, lease: Lease, handle: str, held: Held) -> None:
        """*lease* has one more handle: for what an exchange gave. Of very many the oldest ends."""
        given = [each for each, old in lease.handles.items() if old.until != float("inf")]
        if len(given) >= _MOST_GIVEN:
            self._by_handle.pop(given[0], None)
            lease.handles.pop(given[0]).value.wipe()
        lease.handles[handle] = held
        self._by_handle[handle] = lease.id

    def find(self, handle: str) -> Lease | None:
        """The lease that *handle* belongs to, of whichever kernel, ended or not."""
        return self._leases.get(self._by_handle.get(handle, ""))

    def all(self) -> list[Lease]:
        """Of every kernel, oldest first."""
        return list(self._leases.values())

    def of_kernel(self, kernel: str) -> list[Lease]:
        """Those of *kernel*, oldest first."""
        return [lease for lease in self._leases.values() if lease.kernel == kernel]

    def remove(self, lease: Lease) -> None:
        """Forget *lease*: its handles mean nothing from now on, requests under way end, the values are overwritten."""
        self._leases.pop(lease.id, None)
        for cut in list(lease.cuts):
            cut()
        for handle, held in lease.handles.items():
            self._by_handle.pop(handle, None)
            held.value.wipe()
        lease.handles.clear()
