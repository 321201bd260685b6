"""Decides where a kernel may connect to. Total and pure: an unlisted host, an ended entry, a wrong port is refused.

What is decided here is the name and the port. The address that the name leads to is checked when it is known, by
:func:`~jupyter_qguard.policy.address.address_problem` with the ``addresses`` of the verdict, in every mode.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_qguard.policy.model import Mode, Who
from jupyter_qguard.policy.preset import preset_hosts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from jupyter_qguard.policy.address import Network
    from jupyter_qguard.policy.host import Host
    from jupyter_qguard.policy.model import AccessEntry, Policy

_ASK = "ask whoever keeps the policy for an entry under `egress.allow`"


class EgressAction(enum.IntEnum):
    """What happens to a connection; nothing said is refused."""

    REFUSE = 0
    ALLOW = 1

    @property
    def label(self) -> str:
        """The name used in reports and records."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class EgressVerdict:
    """What is to be done with one connection, and why."""

    action: EgressAction = EgressAction.REFUSE
    reason: str = "nothing allows it"
    """One line for the person in the notebook."""
    rule: str = ""
    """The deciding key, as ``egress.allow[3]``; empty where none speaks of the host."""
    where: str = ""
    """File and line of it."""
    would: EgressAction = EgressAction.REFUSE
    """What mode *enforce* does."""
    addresses: tuple[Network, ...] = ()
    """Resolved addresses accepted; empty for every public one."""
    plain: bool = False
    """Whether it may be spoken without TLS."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An entry that speaks of the host."""

    verdict: EgressVerdict
    ports: tuple[int, ...]


def decide_egress(policy: Policy, host: Host, port: int, *, today: dt.date, person: Who | None = None) -> EgressVerdict:
    """The verdict on a connection to *host* and *port* on *today*.

    *person* is who runs the kernel, with one name under ``users``: an access entry made out to others brings no hosts.
    """
    return _in_mode(policy, _enforced(policy, host, port, today, person or Who()))


def decide_name(policy: Policy, host: Host, *, today: dt.date, person: Who | None = None) -> EgressVerdict:
    """The verdict on telling a kernel an address for *host*: refused where no port of it is allowed."""
    return _in_mode(policy, _enforced(policy, host, None, today, person or Who()))


def ports_of(policy: Policy) -> frozenset[int]:
    """Every port that some entry names: the listeners that a kernel needs."""
    ports = {port for rule in policy.egress.allow for port in rule.ports}
    ports.update(preset.port for entry in policy.access for preset in preset_hosts(entry))
    return frozenset(ports)


def _in_mode(policy: Policy, decided: EgressVerdict) -> EgressVerdict:
    if policy.egress.mode is Mode.ENFORCE or decided.action is EgressAction.ALLOW:
        return decided
    return replace(decided, action=EgressAction.ALLOW, reason=f"only observed: {decided.reason}", plain=True)


def _enforced(policy: Policy, host: Host, port: int | None, today: dt.date, person: Who) -> EgressVerdict:
    for index, denied in enumerate(policy.egress.deny):
        if denied.host.matches(host):
            why = f": {denied.reason}" if denied.reason else ""
            return EgressVerdict(
                reason=f"`{host}` is refused by the policy{why}", rule=f"egress.deny[{index}]", where=denied.where
            )
    candidates = [*_allowed(policy, host, today), *_presets(policy, host, today, person)]
    for each in candidates:
        if each.verdict.action is EgressAction.ALLOW and (port is None or port in each.ports):
            return each.verdict
    for each in candidates:
        if each.verdict.action is EgressAction.ALLOW:
            ports = ", ".join(str(number) for number in each.ports)
            reason = f"`{host}` is allowed on port {ports}, not on {port}"
            return replace(
                each.verdict, action=EgressAction.REFUSE, would=EgressAction.REFUSE, reason=reason, addresses=()
            )
    if candidates:
        return candidates[0].verdict
    return EgressVerdict(reason=f"`{host}` is not on the allowlist: {_ASK}")


def _allowed(policy: Policy, host: Host, today: dt.date) -> Iterator[_Candidate]:
    for index, rule in enumerate(policy.egress.allow):
        if not rule.host.matches(host):
            continue
        key = f"egress.allow[{index}]"
        if rule.expires is not None and rule.expires < today:
            ended = f"the entry for `{rule.host}` ended on {rule.expires}"
            yield _Candidate(EgressVerdict(reason=ended, rule=key, where=rule.where), rule.ports)
        else:
            why = f"`{rule.host}` is on the allowlist"
            verdict = EgressVerdict(
                EgressAction.ALLOW, why, key, rule.where, EgressAction.ALLOW, rule.addresses, rule.plain
            )
            yield _Candidate(verdict, rule.ports)


def _presets(policy: Policy, host: Host, today: dt.date, person: Who) -> Iterator[_Candidate]:
    for index, entry in enumerate(policy.access):
        found = [preset for preset in preset_hosts(entry) if preset.host.matches(host)]
        if not found:
            continue
        key, ports = f"access[{index}]", tuple(preset.port for preset in found)
        problem = why_not_now(entry, today, person)
        if problem:
            yield _Candidate(EgressVerdict(reason=problem, rule=key, where=entry.where), ports)
        else:
            why = f"`{host}` belongs to `{entry.name}`"
            yield _Candidate(EgressVerdict(EgressAction.ALLOW, why, key, entry.where, EgressAction.ALLOW), ports)


def why_not_now(entry: AccessEntry, today: dt.date, person: Who) -> str:
    """Why *entry* brings *person* nothing on *today*; empty if it does."""
    if entry.expires < today:
        return f"`{entry.name}` ended on {entry.expires}"
    who = entry.who
    if (who.users or who.groups) and not (who.users & person.users or who.groups & person.groups):
        return f"`{entry.name}` is made out to others"
    return ""
