"""The policy in force, as connections ask for it: each question answered once, for one person and one day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from jupyter_qguard.broker.judge import Place
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.egress.refusal import shown_host
from jupyter_qguard.policy.brokered import brokered_entries, brokered_hosts
from jupyter_qguard.policy.egress import decide_egress, decide_name, ports_of, why_not_now
from jupyter_qguard.policy.model import Mode
from jupyter_qguard.policy.preset import preset_hosts

if TYPE_CHECKING:
    from jupyter_qguard.policy.destination import Destination
    from jupyter_qguard.policy.egress import EgressVerdict
    from jupyter_qguard.policy.host import Host
    from jupyter_qguard.policy.loaded import LoadedPolicy
    from jupyter_qguard.policy.model import AccessEntry, Policy, Who

_REMEMBERED = 4096
"""Answers; a kernel that walks through names must not fill the memory."""


def today() -> dt.date:
    """The day by which entries end, in UTC, as `qguard policy` counts."""
    return dt.datetime.now(dt.timezone.utc).date()


class Rulings:
    """What the policy *loaded* says to *person* on *day*."""

    def __init__(self, loaded: LoadedPolicy, person: Who, day: dt.date) -> None:
        self.loaded, self.policy, self.day = loaded, loaded.policy, day
        self._person = person
        self._connections: dict[Destination, EgressVerdict] = {}
        self._names: dict[Host, EgressVerdict] = {}
        self._places: dict[Destination, tuple[AccessEntry, ...]] = {}
        self._written = _written(loaded.policy)

    @property
    def observes(self) -> bool:
        """Whether what would be refused is only recorded."""
        return self.policy.egress.mode is Mode.OBSERVE

    @property
    def users(self) -> frozenset[str]:
        """The names of the person."""
        return self._person.users

    @property
    def ports(self) -> tuple[int, ...]:
        """All that the policy names."""
        return tuple(sorted(ports_of(self.policy)))

    def connection(self, destination: Destination) -> EgressVerdict:
        """The verdict on a connection."""
        known = self._connections.get(destination)
        if known is None:
            known = decide_egress(self.policy, destination.host, destination.port, today=self.day, person=self._person)
            if len(self._connections) >= _REMEMBERED:
                self._connections.clear()
            self._connections[destination] = known
        return known

    def name(self, host: Host) -> EgressVerdict:
        """The verdict on telling an address for *host*."""
        known = self._names.get(host)
        if known is None:
            known = decide_name(self.policy, host, today=self.day, person=self._person)
            if len(self._names) >= _REMEMBERED:
                self._names.clear()
            self._names[host] = known
        return known

    def access(self, name: str) -> tuple[AccessEntry | None, str]:
        """The access entry called *name*, or why the person has none of it."""
        mine = [entry for entry in self.policy.access if not why_not_now(entry, self.day, self._person)]
        found = next((entry for entry in self.policy.access if entry.name == name), None)
        if found in mine:
            return found, ""
        if found is not None:
            return None, why_not_now(found, self.day, self._person)
        there = ", ".join(f"`{entry.name}`" for entry in mine) or "none that is yours"
        return None, f"no access entry is called `{name}`; there are: {there}"

    def place(self, kernel: str, destination: Destination) -> Place | None:
        """Where *kernel*'s requests to *destination* are judged; None where they are not opened."""
        if destination not in self._places:
            host, port = destination.host, destination.port
            entries = brokered_entries(self.policy, host, port, today=self.day, person=self._person)
            self._places[destination] = entries
        entries = self._places[destination]
        if not entries:
            return None
        vendor = load_catalog().vendors[entries[0].vendor]
        return Place(kernel, destination.host.name, entries, vendor, destination.port)

    @property
    def brokered(self) -> frozenset[str]:
        """The names of all brokered hosts."""
        return brokered_hosts(self.policy, today=self.day, person=self._person)

    def shown(self, name: str) -> str:
        """*name* for records and messages: whole where the policy itself names it."""
        return name if name in self._written else shown_host(name)


def _written(policy: Policy) -> frozenset[str]:
    rules = (rule.host for group in (policy.egress.allow, policy.egress.deny) for rule in group)
    presets = (preset.host for entry in policy.access for preset in preset_hosts(entry))
    return frozenset(pattern.host.name for pattern in (*rules, *presets) if not pattern.below)
