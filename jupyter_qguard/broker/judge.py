"""Decides on one request to a vendor, and swaps the handles of what may go out. Deny is where every path ends.

The order: one spelling of the target, what the request does, whose the handles are, whether the entry allows it, its
quota. A request is swapped only by :meth:`Judge.rule`, which has asked all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.broker.credentials import carried_handles, without_foreign_cookies
from jupyter_qguard.broker.operation import GRPC, match_operation
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.broker.target import parse_target
from jupyter_qguard.catalog.model import OperationClass
from jupyter_qguard.policy.model import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_qguard.broker.credentials import Carried, Header
    from jupyter_qguard.broker.exchange import Asked
    from jupyter_qguard.broker.lease import Held, Lease, LeaseBook
    from jupyter_qguard.broker.operation import Matched
    from jupyter_qguard.broker.quota import QuotaBook
    from jupyter_qguard.broker.target import Target
    from jupyter_qguard.catalog.model import Exchange, Vendor
    from jupyter_qguard.policy.model import AccessEntry

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_OPERATIONS = {
    OperationClass.INSPECT: Operation.INSPECT,
    OperationClass.SUBMIT: Operation.SUBMIT,
    OperationClass.READ_RESULTS: Operation.READ_RESULTS,
    OperationClass.MANAGE: Operation.MANAGE,
}


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request, of HTTP/1.1 or HTTP/2."""

    method: str
    target: str
    headers: tuple[Header, ...]
    """Names in lower case; without what belongs to the connection."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes: the host, and the entries in force that bring it."""

    kernel: str
    host: str
    entries: tuple[AccessEntry, ...]
    vendor: Vendor
    port: int = 443

    @property
    def authority(self) -> str:
        """As the header ``Host`` has it."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A request that may go out."""

    method: str
    target: Target
    headers: tuple[Header, ...]
    """With the values in the place of handles: for the wire and for nothing else."""
    matched: Matched
    lease: Lease | None
    """None until the body of an exchange says whose handle it is, and where the vendor asks for none."""
    exchange: Exchange | None = None

    def __repr__(self) -> str:
        """Without the headers, which hold the credential."""
        return f"Ruling({self.method} {self.matched.label})"


class Judge:
    """Asked about every request at brokered hosts."""

    def __init__(self, leases: LeaseBook, quotas: QuotaBook, clock: Callable[[], float]) -> None:
        """*clock* gives seconds since the epoch."""
        self._leases, self._quotas, self._clock = leases, quotas, clock

    def rule(self, place: Place, request: Request) -> Ruling:
        """What becomes of *request* at *place*; it is counted towards its quota.

        Raises
        ------
        RequestRefusedError
            It does not go out.
        """
        if request.method not in _METHODS:
            raise RequestRefusedError(Cause.POLICY, "a method that no vendor's operation has", status=405)
        target = parse_target(request.target)
        headers = without_foreign_cookies(request.headers, place.vendor.wire)
        carried = carried_handles(headers, target, place.vendor.wire)
        matched = self._matched(place, request, target)
        exchange = _exchange(place.vendor, matched)
        if exchange is not None and exchange.fields and not carried:
            return Ruling(request.method, target, tuple(headers), matched, None, exchange)
        if matched.operation.open and not carried:
            self._permit_open(place, matched)
            return Ruling(request.method, target, tuple(headers), matched, None)
        lease, held = self._lender(place, carried)
        self._permit(place, lease, matched, headers)
        swapped = _swapped(headers, carried, held)
        return Ruling(request.method, target, tuple(swapped), matched, lease, exchange)

    def exchanged(self, place: Place, ruling: Ruling, asked: Asked) -> tuple[Lease, dict[str, str]]:
        """Whose the handles of an exchange are, and the values for its fields.

        Raises
        ------
        RequestRefusedError
            They are not this kernel's, not for this host, or not of the kind that the field takes.
        """
        assert ruling.exchange is not None  # noqa: S101 - asked about exchanges only
        values: dict[str, str] = {}
        lender: Lease | None = None
        for name, handle in asked.handles:
            lease, held = self._find(place, handle)
            if held.credential != ruling.exchange.fields[name] or (lender is not None and lease is not lender):
                raise RequestRefusedError(Cause.CREDENTIAL, f"another handle belongs into the field `{name}`")
            lender, values[name] = lease, held.value.reveal()
        if lender is None or (ruling.lease is not None and ruling.lease is not lender):
            raise RequestRefusedError(Cause.CREDENTIAL, "the handles of the token exchange are of different leases")
        return lender, values

    def take_back(self, ruling: Ruling) -> None:
        """*ruling* was not carried out: nothing reached the vendor."""
        operation = _OPERATIONS.get(ruling.matched.does)
        if operation is not None and ruling.lease is not None and operation in ruling.lease.entry.quota:
            self._quotas.take_back(ruling.lease.entry.name, operation)

    def _matched(self, place: Place, request: Request, target: Target) -> Matched:
        kind, name = dict(request.headers).get("content-type", ""), place.vendor.name
        method = GRPC if request.method == "POST" and kind.startswith("application/grpc") else request.method
        matched = match_operation(place.vendor, place.host, "GET" if method == "HEAD" else method, target)
        if matched is None:
            raise RequestRefusedError(Cause.POLICY, f"no operation of {name} that the catalogue knows")
        if matched.does is OperationClass.MINT:
            text = f"an operation of {name} that makes or shows credentials, which the guard never asks for"
            raise RequestRefusedError(Cause.POLICY, text)
        return matched

    def _lender(self, place: Place, carried: Sequence[Carried]) -> tuple[Lease, dict[str, Held]]:
        """The one lease that all of *carried* belong to."""
        if not carried:
            names = " or ".join(f"`%qguard use {entry.name}`" for entry in place.entries)
            text = f"the request carries no handle: run {names} first"
            raise RequestRefusedError(Cause.CREDENTIAL, text, status=401)
        lender: Lease | None = None
        found: dict[str, Held] = {}
        for each in carried:
            lease, held = self._find(place, each.handle)
            if lender is not None and lease is not lender:
                raise RequestRefusedError(Cause.CREDENTIAL, "the request carries handles of different leases")
            if not each.wire.swapped or (each.wire.credential and each.wire.credential != held.credential):
                text = f"another kind of handle belongs there: `{held.credential}` is not sent so"
                raise RequestRefusedError(Cause.CREDENTIAL, text)
            lender, found[each.handle] = lease, held
        assert lender is not None  # noqa: S101 - carried is not empty
        return lender, found

    def _find(self, place: Place, handle: str) -> tuple[Lease, Held]:
        lease = self._leases.find(handle)
        if lease is None:
            text = "the handle is not known: its lease has ended or was never there. Run `%qguard use` again"
            raise RequestRefusedError(Cause.CREDENTIAL, text, status=401)
        if lease.kernel != place.kernel:
            raise RequestRefusedError(Cause.CREDENTIAL, "the handle belongs to another kernel")
        # By name: the policy may have been read anew since the lease was granted.
        entry = next((entry for entry in place.entries if entry.name == lease.entry.name), None)
        if entry is None or entry.vendor != lease.vendor.id:
            raise RequestRefusedError(Cause.CREDENTIAL, f"the handle of `{lease.entry.name}` is not for this host")
        held = lease.held(handle, self._clock())
        if held is None:
            text = f"the lease of `{lease.entry.name}` has ended. Run `%qguard use {lease.entry.name}` again"
            raise RequestRefusedError(Cause.CREDENTIAL, text, status=401)
        return lease, held

    def _permit_open(self, place: Place, matched: Matched) -> None:
        """Without a credential, for every entry that permits it."""
        operation = _OPERATIONS.get(matched.does)
        if operation is not None and not any(operation in entry.operations for entry in place.entries):
            names = ", ".join(f"`{entry.name}`" for entry in place.entries)
            raise RequestRefusedError(Cause.POLICY, f"`{operation.value}` is not among the operations of {names}")

    def _permit(self, place: Place, lease: Lease, matched: Matched, headers: Sequence[Header]) -> None:
        entry = next(entry for entry in place.entries if entry.name == lease.entry.name)
        placeholders = [(f"{{{name}}}", value) for name, value in matched.values]
        for name, setting in place.vendor.brokering.pinned.items():
            wanted = entry.settings.get(setting)
            given = [value for each, value in (*headers, *placeholders) if each == name]
            if wanted is not None and given and given != [wanted]:
                raise RequestRefusedError(Cause.POLICY, f"`{entry.name}` is for another `{setting}`")
        if matched.does is OperationClass.AUTH:
            return
        operation = _OPERATIONS[matched.does]
        if operation not in entry.operations:
            allowed = ", ".join(sorted(each.value for each in entry.operations))
            text = f"`{operation.value}` is not among the operations of `{entry.name}`: {allowed}"
            raise RequestRefusedError(Cause.POLICY, text)
        quota = entry.quota.get(operation)
        if quota is None:
            return
        now = self._clock()
        wait = self._quotas.wait(entry.name, operation, quota, now)
        if wait > 0:
            text = f"the quota of `{entry.name}` is used up: {quota.count} {operation.value} a {quota.period.value}"
            raise RequestRefusedError(Cause.QUOTA, text, status=429, retry_after=max(1, round(wait)))
        self._quotas.count(entry.name, operation, now)


def _exchange(vendor: Vendor, matched: Matched) -> Exchange | None:
    if matched.operation.method != "POST":
        return None
    return next((each for each in vendor.brokering.exchanges if each.path == matched.operation.path), None)


def _swapped(headers: Sequence[Header], carried: Sequence[Carried], held: dict[str, Held]) -> list[Header]:
    out = list(headers)
    for each in sorted(carried, key=lambda one: (one.index, one.start), reverse=True):
        name, value = out[each.index]
        put, end = each.spelled(held[each.handle].value.reveal()), each.start + len(each.text)
        out[each.index] = (name, f"{value[: each.start]}{put}{value[end:]}")
    return out
