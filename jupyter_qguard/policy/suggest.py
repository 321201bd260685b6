"""From what was refused to entries that somebody may add. Pure, and never an entry by itself: a person decides.

Nothing is suggested for an address, a local name, a telemetry host or what a deny rule names; for a vendor's host an
access entry is, since that also says who, for what and until when.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import HostRole
from jupyter_qguard.policy.destination import HTTPS_PORT
from jupyter_qguard.policy.egress import EgressAction, decide_egress
from jupyter_qguard.policy.host import HostError, HostPattern, normalise_host

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from jupyter_qguard.policy.host import Host
    from jupyter_qguard.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Refusal:
    """Connections to one host and port that were refused, or would have been."""

    host: str
    """As recorded."""
    port: int
    count: int
    last: str
    """When the last one was, RFC 3339."""
    notebooks: tuple[str, ...] = ()
    """As claimed."""


class Advice(enum.Enum):
    """What may be done about a refusal."""

    ALLOW = "allow"
    """An entry under ``egress.allow``."""
    ACCESS = "access"
    """An access entry for the vendor that the host belongs to."""
    NOTHING = "nothing"
    """It stays refused, and why."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One refusal and what may be done about it."""

    refusal: Refusal
    advice: Advice
    text: str
    """Why, in one sentence."""
    vendor: str = ""


def suggest(policy: Policy, refusals: Iterable[Refusal], today: dt.date) -> list[Suggestion]:
    """What may be done about each of *refusals* that *policy* still refuses; the most frequent first."""
    found = [suggestion for each in refusals if (suggestion := _suggestion(policy, each, today))]
    return sorted(found, key=lambda each: (-each.refusal.count, each.refusal.host, each.refusal.port))


def entries(suggestions: Iterable[Suggestion], expires: dt.date) -> str:
    """*suggestions* as YAML to be edited: what can be allowed as entries, all else as comments."""
    lines: list[str] = []
    for each in suggestions:
        asked = each.refusal
        where = f", by {', '.join(asked.notebooks)}" if asked.notebooks else ""
        times = "once" if asked.count == 1 else f"{asked.count} times"
        lines.append(_comment(f"{asked.host}:{asked.port}: {times}, last {asked.last}{where}"))
        if each.advice is Advice.ALLOW:
            ports = "" if asked.port == HTTPS_PORT else f", ports: [{asked.port}]"
            lines.append(
                f'    - {{host: "{normalise_host(asked.host)}"{ports}, owner: to be filled in, reason: to be filled in, expires: {expires}}}'
            )
        else:
            lines.append(_comment(each.text))
    head = "egress:\n  allow:\n" if any(each.advice is Advice.ALLOW for each in suggestions) else ""
    return head + "".join(f"{line}\n" for line in lines)


def _comment(text: str) -> str:
    """*text* on one line: hosts and notebooks are what a kernel or a client said, and the rest is a policy's text."""
    return "    # " + "".join(char if char.isprintable() else "?" for char in text)


def _suggestion(policy: Policy, refusal: Refusal, today: dt.date) -> Suggestion | None:
    try:
        host = normalise_host(refusal.host)
    except HostError:
        return Suggestion(refusal, Advice.NOTHING, "This is no host name.")
    verdict = decide_egress(policy, host, refusal.port, today=today)
    if verdict.would is EgressAction.ALLOW:
        return None
    if verdict.rule.startswith("egress.deny"):
        return Suggestion(refusal, Advice.NOTHING, f"{verdict.rule} refuses it ({verdict.where}).")
    if host.address is not None or "." not in host.name:
        text = "An address or a local name: write an entry with `addresses` by hand if it must be."
        return Suggestion(refusal, Advice.NOTHING, text)
    owners = owners_of(host)
    if HostRole.TELEMETRY in owners.values():
        return Suggestion(refusal, Advice.NOTHING, "A telemetry host: nothing that runs a job needs it.")
    for vendor, role in owners.items():
        if role is not HostRole.WEB:
            text = f"A host of {vendor}: an entry under `access` brings it, with who, for what and until when."
            return Suggestion(refusal, Advice.ACCESS, text, vendor)
    return Suggestion(refusal, Advice.ALLOW, verdict.reason)


def owners_of(host: Host) -> Mapping[str, HostRole]:
    """The vendors that *host* belongs to, by catalogue id, and what it is for."""
    found: dict[str, HostRole] = {}
    for vendor in load_catalog().vendors.values():
        for each in vendor.hosts:
            if _is_of(each.host, host):
                found.setdefault(vendor.id, each.role)
        if any(_is_of(each, host) for each in vendor.telemetry.hosts):
            found[vendor.id] = HostRole.TELEMETRY
    return found


def _is_of(spelled: str, host: Host) -> bool:
    """Whether *host* is what *spelled* may stand for; a part that varies is one label, or part of one."""
    if "{" not in spelled:
        try:
            return HostPattern.parse(spelled).matches(host)
        except HostError:
            return False
    wanted, given = spelled.split("."), host.name.split(".")
    return len(wanted) == len(given) and all(
        _fits(pattern, label) for pattern, label in zip(wanted, given, strict=True)
    )


def _fits(pattern: str, label: str) -> bool:
    before, brace, rest = pattern.partition("{")
    after = rest.rpartition("}")[2]
    if not brace:
        return pattern == label
    return len(label) > len(before) + len(after) and label.startswith(before) and label.endswith(after)
