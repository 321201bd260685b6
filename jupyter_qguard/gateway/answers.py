"""What a kernel is told when it asks: each kind of request and who answers it. Nothing in here widens a policy."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.gateway.asked import (
    Asked,
    CellAsked,
    ExplainAsked,
    HelloAsked,
    RefusalsAsked,
    ReleaseAsked,
    SessionAsked,
    StatusAsked,
    UseAsked,
)
from jupyter_qguard.gateway.control import Began
from jupyter_qguard.policy.destination import parse_destination
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.policy.openings import not_stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_qguard.broker.lease import Lease
    from jupyter_qguard.gateway.kernel import Kernel
    from jupyter_qguard.policy.allowance import Allowance
    from jupyter_qguard.policy.model import AccessEntry, AllowRule

_HOSTS_TOLD = 100
_NOTICES_TOLD, _NOTICE = 4, 500


async def answer(kernel: Kernel, asked: Asked) -> dict[str, Any]:
    """The answer to *asked*.

    Raises
    ------
    QGuardError
        There is none; says why.
    """
    found = ANSWERS.get(type(asked))
    if found is None:
        message = "nobody answers this kind of request"
        raise GuardFailureError(message)
    return await found(kernel, asked)


async def _hello(kernel: Kernel, _: HelloAsked) -> dict[str, Any]:
    kernel.means.line.offer(Began(kernel=kernel.who.kernel))
    return {"tier": kernel.tier.label, "mode": kernel.means.rulings.policy.egress.mode.value}


async def _status(kernel: Kernel, _: StatusAsked) -> dict[str, Any]:
    means, rulings = kernel.means, kernel.means.rulings
    policy, loaded = rulings.policy, rulings.loaded
    entries = [each for each in policy.egress.allow if each.expires is None or each.expires >= rulings.day]
    return {
        "kernel": kernel.who.kernel,
        "tier": kernel.tier.label,
        "minimum_tier": policy.egress.minimum_tier.label,
        "mode": policy.egress.mode.value,
        "policy": [f"{source.origin.value}: {source.name}" for source in loaded.sources],
        "notices": [notice[:_NOTICE] for notice in loaded.notices[:_NOTICES_TOLD]],
        "audit": means.recorder.trouble or "ok",
        "allowed": [_allowed(each) for each in entries[:_HOSTS_TOLD]],
        "allowed_count": len(entries),
        "access": [_access(each) for each in policy.access[:_HOSTS_TOLD] if each.expires >= rulings.day],
        "allowed_once": [_once(each) for each in kernel.allowances],
        "leases": [_lease(each) for each in means.lender.leases(kernel)],
        "upstream_proxy": policy.egress.upstream_proxy or "",
        # Only a sandbox has listeners of its own for each port.
        "ports_after_restart": [] if kernel.tier is not Tier.NETNS else sorted(set(rulings.ports) - kernel.ports),
        "not_stopped": list(not_stopped(kernel.tier)),
    }


async def _explain(kernel: Kernel, asked: ExplainAsked) -> dict[str, Any]:
    destination = parse_destination(asked.host)
    verdict = kernel.connection(destination)
    return {
        "host": destination.host.name,
        "port": destination.port,
        "action": verdict.action.label,
        "would": verdict.would.label,
        "reason": verdict.reason,
        "rule": verdict.rule,
        "where": verdict.where,
        "addresses": [str(network) for network in verdict.addresses[:_HOSTS_TOLD]],
        "plain": verdict.plain,
        "policy": _policy(kernel),
        "kernel": kernel.who.kernel,
        "once": not verdict.rule and destination.host.address is None,
    }


async def _refusals(kernel: Kernel, _: RefusalsAsked) -> dict[str, Any]:
    return {**kernel.untold.take(), "policy": _policy(kernel)}


async def _cell(kernel: Kernel, asked: CellAsked) -> dict[str, Any]:
    kernel.cell, kernel.trace = asked.cell, asked.trace
    return {}


async def _use(kernel: Kernel, asked: UseAsked) -> dict[str, Any]:
    granted = await kernel.means.lender.use(kernel, asked.name)
    entry, vendor = granted.lease.entry, granted.lease.vendor
    return {
        "name": entry.name,
        "vendor": vendor.id,
        "environment": entry.environment.value,
        "owner": entry.owner,
        "purpose": entry.purpose,
        "operations": sorted(operation.value for operation in entry.operations),
        "until": granted.lease.ends,
        "custody": vendor.brokering.custody.value,
        "variables": dict(granted.variables),
        "client": vendor.brokering.client,
        "package": next((sdk.pypi for sdk in vendor.sdks if sdk.pypi), ""),
        "notice": granted.notice,
    }


async def _release(kernel: Kernel, asked: ReleaseAsked) -> dict[str, Any]:
    return {"ended": await kernel.means.lender.release(kernel, asked.name)}


async def _session(kernel: Kernel, asked: SessionAsked) -> dict[str, Any]:
    """In the form of AWS's container credentials: what the vendor's client asks for."""
    session = await kernel.means.lender.session(kernel, asked.name)
    names = {"access_key_id": "AccessKeyId", "secret_access_key": "SecretAccessKey", "session_token": "Token"}
    values = {names[field]: value.reveal() for field, value in session.fields.items()}
    return {**values, "Expiration": session.expires.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _lease(lease: Lease) -> dict[str, Any]:
    custody = lease.vendor.brokering.custody.value
    return {"name": lease.entry.name, "vendor": lease.vendor.id, "until": lease.ends, "custody": custody}


def _policy(kernel: Kernel) -> list[str]:
    return [source.name for source in kernel.means.rulings.loaded.sources]


def _allowed(entry: AllowRule) -> dict[str, Any]:
    until = "" if entry.expires is None else entry.expires.isoformat()
    return {"host": str(entry.host), "ports": list(entry.ports[:10]), "until": until}


def _once(allowance: Allowance) -> dict[str, Any]:
    destination = allowance.destination
    return {"host": str(destination.host), "port": destination.port, "until": allowance.until}


def _access(entry: AccessEntry) -> dict[str, Any]:
    return {"name": entry.name, "vendor": entry.vendor, "until": entry.expires.isoformat()}


ANSWERS: dict[type[Asked], Callable[[Kernel, Any], Awaitable[dict[str, Any]]]] = {
    HelloAsked: _hello,
    StatusAsked: _status,
    ExplainAsked: _explain,
    RefusalsAsked: _refusals,
    CellAsked: _cell,
    UseAsked: _use,
    ReleaseAsked: _release,
    SessionAsked: _session,
}
