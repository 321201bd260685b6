"""Lends kernels what access entries name: asks the policy, fetches from the vault, records, and hands out handles.

No record, no lease. A vault that is away refuses new leases and ends no running one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.audit import audit_paths
from jupyter_qguard.audit.event import AuditEvent, LeaseGranted, LeaseRefused, LeaseRevoked
from jupyter_qguard.broker.lending import Terms, make_lease, variables_of
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.broker.session import session_variables
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody
from jupyter_qguard.errors import AuditUnavailableError
from jupyter_qguard.gateway.history import done_before
from jupyter_qguard.gateway.sessions import Sessions
from jupyter_qguard.vault import Vaults
from jupyter_qguard.vault.errors import SourceUnavailableError, VaultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_qguard.broker.lease import Lease
    from jupyter_qguard.gateway.kernel import Kernel, Means
    from jupyter_qguard.gateway.recorder import Who
    from jupyter_qguard.gateway.rulings import Rulings
    from jupyter_qguard.policy.model import AccessEntry
    from jupyter_qguard.policy.vaults import VaultsPolicy
    from jupyter_qguard.vault.sts import Session
    from jupyter_qguard.vault.vaults import Secret

_RENEW_SECONDS = 20.0
"""Between looks at what signing in to a vault brought."""
_SHORTEST_ID = 8
"""Characters of an id that name a lease or a kernel."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the kernel is told of its lease."""

    lease: Lease
    variables: Mapping[str, str]
    """For the vendor's own client; handles and settings, no secret."""
    notice: str = ""


class Lender:
    """For all kernels of a gateway."""

    def __init__(self, means: Means, environ: Mapping[str, str], home: Path) -> None:
        """*environ* are the variables of the process that started the gateway."""
        self._means, self._environ, self._home = means, environ, home
        self._vaults: tuple[VaultsPolicy, Vaults] | None = None
        self._one = asyncio.Lock()
        self._sessions = Sessions()

    async def use(self, kernel: Kernel, name: str) -> Granted:
        """Lend the access entry called *name* to a kernel; a second time, its lease goes on for longer.

        Raises
        ------
        RequestRefusedError
            It is not lent. The refusal is in the audit log.
        """
        try:
            async with self._one:  # two cells at once make one lease
                return await self._use(kernel, name)
        except RequestRefusedError as refusal:
            data = LeaseRefused(access=name[:200], reason=f"{refusal.cause.value}: {refusal.reason}")
            self._means.recorder.note(kernel.event(data))
            raise

    async def session(self, kernel: Kernel, name: str) -> Session:
        """The short-lived keys of what the kernel is lent as *name*: those that it has, or new ones in time.

        Raises
        ------
        RequestRefusedError
            It has no such lease, or there are none. That is in the audit log.
        """
        try:
            async with self._one:
                entry, problem = self._means.rulings.access(name)
                lease = next((each for each in self.leases(kernel) if each.entry.name == name), None)
                if entry is None or lease is None or lease.vendor.brokering.custody is not Custody.SHORT_LIVED:
                    text = problem or f"no short-lived keys of `{name}` are lent to this kernel: %qguard use {name}"
                    raise RequestRefusedError(Cause.CREDENTIAL, text)  # noqa: TRY301 - recorded as the others are
                session = await self._session(kernel, lease, entry)
                if lease not in self.leases(kernel):  # it was released meanwhile
                    self._sessions.forget(lease)
                    raise RequestRefusedError(Cause.CREDENTIAL, f"the lease of `{name}` has ended")  # noqa: TRY301
                return session
        except RequestRefusedError as refusal:
            data = LeaseRefused(access=name[:200], reason=f"{refusal.cause.value}: {refusal.reason}")
            self._means.recorder.note(kernel.event(data))
            raise

    async def release(self, kernel: Kernel, name: str) -> bool:
        """End the kernel's lease of *name*; whether there was one."""
        found = self._of(kernel.who, name)
        if found is not None:
            await self._revoke(found, "released")
        return found is not None

    def leases(self, kernel: Kernel) -> list[Lease]:
        """What the kernel is lent now."""
        now = self._means.broker.clock()
        return [lease for lease in self._means.broker.leases.of_kernel(kernel.who.kernel) if lease.until > now]

    async def at_desk(self, which: str, revoke: str) -> list[Lease]:
        """What is lent of *which* (part of an id, or an access entry; empty: all), and ended if *revoke* says why."""
        now = self._means.broker.clock()
        found = [each for each in self._means.broker.leases.all() if each.until > now and _is(each, which)]
        for lease in found if revoke else ():
            await self._revoke(lease, f"revoked from outside: {revoke}")
        return found

    async def forget(self, who: Who) -> None:
        """The kernel has ended."""
        for lease in self._means.broker.leases.of_kernel(who.kernel):
            await self._revoke(lease, "the kernel has ended")

    async def review(self, kernels: list[str]) -> None:
        """Another policy is in force: end what it does not lend any more, or lends of another secret."""
        rulings = self._means.rulings
        for kernel in kernels:
            for lease in self._means.broker.leases.of_kernel(kernel):
                entry, problem = rulings.access(lease.entry.name)
                if entry is None or _what(entry) != _what(lease.entry):
                    await self._revoke(lease, problem or "its entry in the policy has changed")
                    continue
                try:
                    await self._recall(entry, rulings)
                except RequestRefusedError as refusal:
                    await self._revoke(lease, refusal.reason)

    async def keep_signed_in(self) -> None:
        """Renew what signing in to vaults brought, for ever."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            if self._vaults is not None:
                try:
                    await asyncio.to_thread(self._vaults[1].renew)
                except VaultError:
                    continue  # the next `use` says so to a person

    async def close(self) -> None:
        """Have the vaults forget this gateway."""
        if self._vaults is not None:
            await asyncio.to_thread(self._vaults[1].close)

    async def _use(self, kernel: Kernel, name: str) -> Granted:
        rulings, broker = self._means.rulings, self._means.broker
        entry, problem = rulings.access(name)
        if entry is None:
            raise RequestRefusedError(Cause.POLICY, problem)
        vendor = load_catalog().vendors.get(entry.vendor)
        if vendor is None:
            raise RequestRefusedError(Cause.POLICY, f"the catalogue has no vendor `{entry.vendor}`")
        await self._recall(entry, rulings)
        running = self._of(kernel.who, name)
        secret = await self._fetch(entry, rulings)
        fresh = make_lease(Terms(kernel.who.kernel, entry, vendor, secret.expires), secret.fields, broker.clock())
        lease = fresh
        if running is not None and _same(running, fresh):
            # Clients that were made with its handles go on.
            lease, running.until = running, fresh.until
        if vendor.brokering.custody is Custody.SHORT_LIVED:
            await self._session(kernel, lease, entry)
        else:
            await self._record_grant(kernel, lease, lease.ends)
        if lease is fresh:
            if running is not None:
                await self._revoke(running, "its secret has changed")
            broker.leases.add(fresh)
        return Granted(lease, variables_of(lease) | session_variables(lease), self._notice(kernel, lease))

    async def _session(self, kernel: Kernel, lease: Lease, entry: AccessEntry) -> Session:
        """Each new session is recorded before the kernel can ask for it."""
        rulings = self._means.rulings
        person, vault = min(rulings.users, default=""), rulings.policy.vaults.aws
        started = await self._sessions.of(lease, entry, person, vault, self._means.broker.clock())
        if started.is_new:
            try:
                await self._record_grant(kernel, lease, started.session.expires.isoformat(timespec="seconds"))
            except RequestRefusedError:
                self._sessions.forget(lease)
                raise
        return started.session

    async def _recall(self, entry: AccessEntry, rulings: Rulings) -> None:
        """Have quotas count what was done before this gateway was there."""
        quotas, now = self._means.broker.quotas, self._means.broker.clock()
        new = [operation for operation in entry.quota if not quotas.knows(entry.name, operation)]
        if not new:
            return
        folder = audit_paths(rulings.policy.audit.path, self._environ, self._home).folder
        try:
            found = await asyncio.to_thread(done_before, folder, entry, new, rulings.users, now)
        except AuditUnavailableError:
            text = "the audit log cannot be read, so nobody knows what is left of the quota"
            raise RequestRefusedError(Cause.GUARD, text, status=503) from None
        for operation, times in found.items():
            quotas.recall(entry.name, operation, times)

    async def _fetch(self, entry: AccessEntry, rulings: Rulings) -> Secret:
        try:
            vaults = self._open(rulings.policy.vaults)
            return await asyncio.to_thread(vaults.fetch, entry.secrets, entry.environment, rulings.day)
        except SourceUnavailableError as error:
            raise RequestRefusedError(Cause.NETWORK, f"`{entry.name}`: {error}", status=503) from None
        except VaultError as error:
            raise RequestRefusedError(Cause.CREDENTIAL, f"`{entry.name}`: {error}") from None

    def _open(self, settings: VaultsPolicy) -> Vaults:
        if self._vaults is None or self._vaults[0] != settings:
            self._vaults = (settings, Vaults(settings, self._environ, self._home))
        return self._vaults[1]

    async def _record_grant(self, kernel: Kernel, lease: Lease, until: str) -> None:
        data = LeaseGranted(
            lease=lease.id,
            access=lease.entry.name,
            vendor=lease.vendor.id,
            custody=lease.vendor.brokering.custody.value,
            until=until,
        )
        try:
            await self._means.recorder.record(kernel.event(data))
        except AuditUnavailableError:
            text = "nothing can be recorded in the audit log, so nothing is lent"
            raise RequestRefusedError(Cause.GUARD, text, status=503) from None

    async def _revoke(self, lease: Lease, reason: str) -> None:
        """End *lease*; where that cannot be recorded, it ends all the same."""
        self._means.broker.leases.remove(lease)
        self._sessions.forget(lease)
        data = LeaseRevoked(lease=lease.id, reason=reason)
        try:
            await self._means.recorder.record(AuditEvent(data=data, kernel=lease.kernel))
        except AuditUnavailableError:
            return

    def _of(self, who: Who, name: str) -> Lease | None:
        leases = self._means.broker.leases.of_kernel(who.kernel)
        return next((lease for lease in leases if lease.entry.name == name), None)

    def _notice(self, kernel: Kernel, lease: Lease) -> str:
        others = [
            each.entry.name
            for each in self.leases(kernel)
            if each.vendor.id == lease.vendor.id and each.entry.name != lease.entry.name
        ]
        if not others:
            return ""
        names = ", ".join(f"`{name}`" for name in others)
        return f"The variables of {lease.vendor.name} now stand for `{lease.entry.name}`; before, for {names}."


def _is(lease: Lease, which: str) -> bool:
    if not which or which == lease.entry.name:
        return True
    return len(which) >= _SHORTEST_ID and (lease.id.startswith(which) or lease.kernel.startswith(which))


def _what(entry: AccessEntry) -> tuple[object, ...]:
    """What a lease was granted for; operations and quotas are looked up at each request."""
    return entry.vendor, dict(entry.secrets), entry.environment, dict(entry.settings)


def _same(running: Lease, fresh: Lease) -> bool:
    """Whether both lend the same values."""
    mine = {held.field: held.value for held in running.handles.values() if held.until == float("inf")}
    theirs = {held.field: held.value for held in fresh.handles.values()}
    return mine == theirs
