"""Serves people who ask from outside of kernels: decides, records, and does it."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from jupyter_qguard.audit.event import AuditEvent, OverrideGranted
from jupyter_qguard.errors import QGuardError, UsageError
from jupyter_qguard.gateway.spool import AllowRequest, Answer, LeaseShown, the_one, until_text
from jupyter_qguard.policy.allowance import Allowance, why_not_once
from jupyter_qguard.policy.destination import parse_destination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_qguard.broker.lease import Lease
    from jupyter_qguard.gateway.doors import Doors
    from jupyter_qguard.gateway.kernel import Kernel
    from jupyter_qguard.gateway.lender import Lender
    from jupyter_qguard.gateway.spool import Request, Spool

_log = logging.getLogger(__name__)


class NotAllowedError(UsageError):
    """A person cannot allow this."""

    code = "not_allowed"


class Desk:
    """Of one gateway."""

    def __init__(self, spool: Spool, kernels: Mapping[str, Doors], lender: Lender) -> None:
        """*kernels* are those that the gateway serves, by their id, at any time."""
        self._spool, self._kernels, self._lender = spool, kernels, lender
        self._trouble = ""

    async def look(self) -> None:
        """Take what was asked for since the last time, and end what is over. Called often."""
        for doors in list(self._kernels.values()):
            doors.kernel.end_allowances()
        try:
            for name, request in await asyncio.to_thread(self._spool.requests):
                answer = await self._answer(request)
                if answer is not None:
                    await asyncio.to_thread(self._spool.answer, name, answer)
        except QGuardError as error:  # nothing is done where the folder is not the user's own
            if str(error) != self._trouble:
                _log.error("what people ask from outside of kernels cannot be read: %s", error)
            self._trouble = str(error)

    async def _answer(self, request: Request) -> Answer | None:
        """None where it is for another gateway, or for nobody."""
        if not isinstance(request, AllowRequest):
            found = await self._lender.at_desk(request.which, request.revoke)
            return Answer(done=bool(found), leases=tuple(map(self._shown, found)))
        try:
            kernel = the_one(self._kernels, request.kernel)
            if kernel is None:
                return None
            return Answer(done=True, text=await self._grant(self._kernels[kernel].kernel, request))
        except QGuardError as error:
            return Answer(done=False, text=str(error))

    def _shown(self, lease: Lease) -> LeaseShown:
        doors = self._kernels.get(lease.kernel)
        return LeaseShown(
            lease=lease.id,
            access=lease.entry.name,
            vendor=lease.vendor.id,
            environment=lease.entry.environment.value,
            custody=lease.vendor.brokering.custody.value,
            kernel=lease.kernel,
            notebook=doors.kernel.who.notebook if doors else "",
            until=lease.ends,
        )

    async def _grant(self, kernel: Kernel, request: AllowRequest) -> str:
        """Put it in force once its record is durable; the line for the person. Raises QGuardError."""
        rulings = kernel.means.rulings
        destination = parse_destination(request.target)
        tiers = [doors.kernel.tier for doors in self._kernels.values()]
        problem = why_not_once(rulings.loaded, destination, rulings.connection(destination), tiers)
        if problem:
            raise NotAllowedError(problem)
        allowance = Allowance(destination, until_text(request.seconds))
        data = OverrideGranted(
            override=os.urandom(8).hex(),
            reason=request.reason,
            until=allowance.until,
            proof="guard folder",
            host=rulings.shown(destination.host.name),
            port=destination.port,
        )
        await kernel.means.recorder.record(
            AuditEvent(data=data, kernel=kernel.who.kernel, notebook=kernel.who.notebook)
        )
        kernel.allow(allowance, request.seconds)
        return f"kernel {kernel.who.kernel} may reach {destination.host}:{destination.port} until {allowance.until}"
