"""The policy in plain sentences: what applies, to which file, until when, and what deserves a second look."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.policy.decide import UNSTATED
from jupyter_qguard.policy.destination import parse_destination
from jupyter_qguard.policy.egress import EgressAction, decide_egress
from jupyter_qguard.policy.model import Action, ExceptionKind, FileAccess, Mode
from jupyter_qguard.scan.finding import Place

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from jupyter_qguard.policy.model import AccessEntry, AllowRule, FileRule, Policy, PolicyException

_PLACES = {
    Place.SOURCE: "the source of a cell",
    Place.OUTPUT: "an output",
    Place.METADATA: "metadata, attachments or widget state",
    Place.TEXT_FILE: "a file that is no notebook",
}
_DOES = {
    Action.BLOCK: "refuses the save; nothing is written",
    Action.REDACT: "is replaced by a mark in the saved file",
    Action.WARN: "is saved, with a warning",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence about one key of the policy."""

    key: str
    text: str


def explain_policy(policy: Policy, today: dt.date) -> list[Statement]:
    """What *policy* means on *today*, section by section."""
    return [
        *_explain_scan(policy, tuple(Place)),
        *_explain_classify(policy),
        *_explain_egress(policy, today),
        *(Statement(f"access[{index}]", _entry(entry, today)) for index, entry in enumerate(policy.access)),
        *(Statement(f"exceptions[{index}]", _exception(each, today)) for index, each in enumerate(policy.exceptions)),
        *(Statement(f"files[{index}]", _file(each, today)) for index, each in enumerate(policy.files)),
        *_explain_audit(policy),
    ]


def explain_save(policy: Policy, path: str | None, kind: str | None, today: dt.date) -> list[Statement]:
    """What happens when *path* is saved with a finding of *kind*: a rule id or a name under ``classify``."""
    places: tuple[Place, ...] = tuple(Place)
    if path is not None:
        notebook = path.lower().endswith(".ipynb")
        places = (Place.SOURCE, Place.OUTPUT, Place.METADATA) if notebook else (Place.TEXT_FILE,)
    statements = list(_explain_scan(policy, places))
    if kind is not None and kind in policy.classify:
        statements.insert(0, _data(kind, policy))
    elif kind is not None:
        text = f"`{kind}` is not under `classify`: if it is the rule of a credential, what follows holds for it"
        statements.insert(0, Statement("classify", f"{text}; any other data is only labelled."))
    for index, each in enumerate(policy.exceptions):
        if _bends(each, path, kind):
            statements.append(Statement(f"exceptions[{index}]", _exception(each, today)))
    return statements


def explain_egress(policy: Policy, target: str, today: dt.date) -> list[Statement]:
    """What happens when a kernel connects to *target*: a URL, a host, or ``host:port``; and which line says so.

    Raises
    ------
    InputError
        *target* names no host.
    """
    destination = parse_destination(target)
    verdict = decide_egress(policy, destination.host, destination.port, today=today)
    does = "would be refused" if verdict.would is EgressAction.REFUSE else "would be allowed"
    text = f"A connection to `{destination.host}` on port {destination.port} {does}: {verdict.reason}."
    if verdict.action is EgressAction.ALLOW:
        where = ", ".join(str(network) for network in verdict.addresses) or "any public address"
        text += f" Addresses: {where}; {'TLS is not required' if verdict.plain else 'TLS only'}."
    if verdict.where:
        text += f" Decided by {verdict.where}."
    return [Statement(verdict.rule or "egress.allow", text)]


def notes(policy: Policy, today: dt.date) -> list[Statement]:
    """What is allowed and yet deserves a look: what has ended, and what says nobody is responsible."""
    found: list[Statement] = []
    for index, rule in enumerate(policy.egress.allow):
        key = f"egress.allow[{index}]"
        if rule.expires is not None and rule.expires < today:
            found.append(Statement(key, f"`{rule.host}` ended on {rule.expires}: it allows nothing any more"))
        missing = [name for name in ("owner", "reason") if not getattr(rule, name)]
        if missing:
            found.append(Statement(key, f"`{rule.host}` has no {' and no '.join(missing)}"))
    for index, entry in enumerate(policy.access):
        if entry.expires < today:
            found.append(Statement(f"access[{index}]", f"`{entry.name}` ended on {entry.expires}: no lease is given"))
    for index, each in enumerate(policy.exceptions):
        key = f"exceptions[{index}]"
        if each.kind is ExceptionKind.NOTE:
            found.append(Statement(key, "a note: the guard does nothing about it"))
        elif not each.holds(today):
            found.append(Statement(key, f"ended on {each.expires}: it bends nothing any more"))
    return found


def _explain_scan(policy: Policy, places: tuple[Place, ...]) -> Iterator[Statement]:
    if policy.scan.mode is Mode.OBSERVE:
        yield Statement("scan.mode", "Observed only: every file is saved; what would have happened is recorded.")
    for place in places:
        action = policy.scan.action_at(place)
        only = "Enforced, a" if policy.scan.mode is Mode.OBSERVE else "A"
        yield Statement(f"scan.{place.value}", f"{only} secret in {_PLACES[place]} {_DOES[action]}.")


def _explain_classify(policy: Policy) -> Iterator[Statement]:
    for name in policy.classify:
        yield _data(name, policy)
    if not policy.classify:
        yield Statement("classify", "Only credentials are acted upon; other sensitive data is merely labelled.")


def _data(name: str, policy: Policy) -> Statement:
    given = policy.classify[name]
    words = f" ({policy.descriptions[name]})" if name in policy.descriptions else ""
    if given <= UNSTATED:
        below = "is acted upon only where a notebook states a lower class of itself"
    else:
        below = f"is acted upon where the notebook states less than that; without a statement it is {UNSTATED.label}"
    return Statement(f"classify.{name}", f"`{name}`{words} is {given.label}: it {below}.")


_EGRESS_MODES = {
    Mode.OBSERVE: "Observed only: connections are decided and recorded, and none is refused.",
    Mode.ENFORCE: "Enforced: kernels reach the hosts below and those of `access`, and nothing else.",
}


def _explain_egress(policy: Policy, today: dt.date) -> Iterator[Statement]:
    egress = policy.egress
    yield Statement("egress.mode", _EGRESS_MODES[egress.mode])
    yield Statement("egress.minimum_tier", f"No kernel starts in a sandbox weaker than `{egress.minimum_tier.label}`.")
    for index, rule in enumerate(egress.allow):
        yield Statement(f"egress.allow[{index}]", _allowed(rule, today))
    for index, denied in enumerate(egress.deny):
        why = f" ({denied.reason})" if denied.reason else ""
        yield Statement(f"egress.deny[{index}]", f"`{denied.host}` is refused, whatever is allowed{why}.")
    offers = "The server offers terminals, which no guard surrounds." if egress.open_terminals else "No terminals."
    yield Statement("egress.terminals", offers)
    if egress.mode is Mode.ENFORCE:
        yield Statement("egress.mode", "Pages of the server load from and post to nothing but the server.")
    if egress.upstream_proxy:
        yield Statement("egress.upstream_proxy", f"Everything goes out through {egress.upstream_proxy}.")
    if egress.ca_bundle:
        yield Statement("egress.ca_bundle", f"Certificates are checked against {egress.ca_bundle}.")


def _allowed(rule: AllowRule, today: dt.date) -> str:
    ports = ", ".join(str(port) for port in rule.ports)
    where = ", ".join(str(network) for network in rule.addresses) or "any public address"
    how = "without TLS" if rule.plain else "with TLS"
    why = f": {rule.reason}" if rule.reason else ""
    return f"`{rule.host}` on port {ports} at {where} {how}{_until(rule.expires, today)}{why}."


def _entry(entry: AccessEntry, today: dt.date) -> str:
    operations = ", ".join(sorted(operation.value for operation in entry.operations))
    people = [*(f"user {user}" for user in sorted(entry.who.users))]
    people += [f"group {group}" for group in sorted(entry.who.groups)]
    who = ", ".join(people) or "the user who runs the server"
    return (
        f"`{entry.name}` ({entry.vendor}, {entry.environment.value}) for {who}: {operations}"
        f"{_until(entry.expires, today)}; owner {entry.owner}, for {entry.purpose}."
    )


def _file(each: FileRule, today: dt.date) -> str:
    does = {
        FileAccess.HIDDEN: "is hidden from kernels",
        FileAccess.READ_ONLY: "is read-only in kernels",
        FileAccess.READ_WRITE: "is writable in kernels",
    }
    opens = each.access is FileAccess.READ_WRITE
    if opens and each.expires and today > each.expires:
        return f"{each.path} was writable until {each.expires}: it is no more."
    until = f" until {each.expires}" if opens and each.expires else ""
    return f"{each.path} {does[each.access]}{until}."


def _exception(each: PolicyException, today: dt.date) -> str:
    until = f"{_until(each.expires, today)}: {each.reason} (owner {each.owner}; instead: {each.compensating_control})."
    if each.kind is ExceptionKind.RULE:
        where = f" under `{each.paths}`" if each.paths else ""
        return f"Findings of `{each.target}`{where} only warn{until}"
    if each.kind is ExceptionKind.KERNELSPEC:
        return f"The kernelspec `{each.target}` may use a provisioner of its own{until}"
    return f"A note that changes nothing: {each.target}{until}"


def _bends(each: PolicyException, path: str | None, kind: str | None) -> bool:
    if each.kind is not ExceptionKind.RULE or kind not in (None, each.target):
        return False
    return each.paths is None or path is None or fnmatch.fnmatchcase(path, each.paths)


def _explain_audit(policy: Policy) -> Iterator[Statement]:
    where = policy.audit.path or "the user's state folder"
    days = policy.audit.retention_days
    kept = f"kept for {days} days" if days else "kept for good"
    yield Statement("audit", f"The trail lies in {where} and is {kept}.")


def _until(last: dt.date | None, today: dt.date) -> str:
    if last is None:
        return ""
    return f" (ended on {last})" if last < today else f" until {last}"
