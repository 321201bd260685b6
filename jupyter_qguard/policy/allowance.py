"""What a person lets one kernel reach for a while, from outside of kernels: a host of which the policy says nothing.

It fills a gap of the policy and contradicts none of its lines: a host that a line speaks of (denied, ended, on another
port, a vendor's) is a matter for whoever keeps the policy. TLS and the rules for addresses hold as for any host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.errors import UsageError
from jupyter_qguard.policy.egress import EgressAction, EgressVerdict
from jupyter_qguard.policy.loaded import Origin
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.policy.suggest import owners_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.policy.destination import Destination
    from jupyter_qguard.policy.loaded import LoadedPolicy

LONGEST = 24 * 3600
"""Seconds. What is needed for longer belongs into the policy."""
_SPAN = re.compile(r"([1-9][0-9]{0,4})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Allowance:
    """In force for one kernel."""

    destination: Destination
    until: str
    """For people: UTC, as ``2027-01-31T09:00:00Z``."""

    @property
    def verdict(self) -> EgressVerdict:
        """On a connection to its destination."""
        why = f"a person allowed it once, until {self.until}"
        return EgressVerdict(EgressAction.ALLOW, why, f"allowed once until {self.until}", "", EgressAction.ALLOW)


def parse_span(text: str) -> int:
    """The seconds in *text*: ``90s``, ``30m``, ``2h``.

    Raises
    ------
    UsageError
        It says none, or more than :data:`LONGEST`.
    """
    found = _SPAN.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST:
        message = "write how long as 90s, 30m or 2h, at most 24h: what is needed for longer belongs into the policy"
        raise UsageError(message)
    return seconds


def why_not_once(loaded: LoadedPolicy, destination: Destination, verdict: EgressVerdict, tiers: Iterable[Tier]) -> str:
    """Why a person cannot allow *destination*, of which the policy says *verdict*; empty if they can.

    *tiers* are those of all kernels that run beside: one that can write where the person asks could have asked itself.
    """
    host = destination.host
    if any(source.origin is Origin.FLOOR for source in loaded.sources) or loaded.strictest:
        return "an administrator's policy is in force here, or none that is valid: only that policy allows hosts"
    if any(tier is not Tier.NETNS for tier in tiers):
        return "a kernel runs that is not in tier netns: it could have asked this in your name"
    if host.address is not None:
        return "an address is never allowed once: name a host"
    if verdict.action is EgressAction.ALLOW:
        return f"`{host}` is let through already: {verdict.reason}"
    if verdict.rule:
        return f"the policy speaks of `{host}` ({verdict.rule}): change it there"
    owners = owners_of(host)
    if owners:
        return f"`{host}` is a host of {next(iter(owners))}: an entry under `access` brings what of it a job needs"
    return ""
