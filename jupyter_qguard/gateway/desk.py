"""Takes what people ask for from outside of kernels, decides, records, and puts it in force for one kernel."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from jupyter_qguard.audit.event import AuditEvent, OverrideGranted
from jupyter_qguard.errors import QGuardError, UsageError
from jupyter_qguard.gateway.allowances import AllowAnswer, AllowFolder, AllowRequest, the_one, until_text
from jupyter_qguard.policy.allowance import Allowance, why_not_once
from jupyter_qguard.policy.destination import parse_destination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_qguard.gateway.doors import Doors
    from jupyter_qguard.gateway.kernel import Kernel

_log = logging.getLogger(__name__)


class NotAllowedError(UsageError):
    """A person cannot allow this."""

    code = "not_allowed"


class Granter:
    """Of one gateway."""

    def __init__(self, folder: AllowFolder, kernels: Mapping[str, Doors]) -> None:
        """*kernels* are those that the gateway serves, by their id, at any time."""
        self._folder, self._kernels = folder, kernels
        self._trouble = ""

    async def look(self) -> None:
        """Take what was asked for since the last time, and end what is over. Called often."""
        for doors in list(self._kernels.values()):
            doors.kernel.end_allowances()
        try:
            for name, request in await asyncio.to_thread(self._folder.requests):
                await self._serve(name, request)
        except QGuardError as error:  # nothing is granted where the folder is not the user's own
            if str(error) != self._trouble:
                _log.error("what people ask to be allowed once cannot be read: %s", error)
            self._trouble = str(error)

    async def _serve(self, name: str, request: AllowRequest) -> None:
        try:
            kernel = the_one(self._kernels, request.kernel)
            if kernel is None:
                return  # another server's, or nobody's
            text = await self._grant(self._kernels[kernel].kernel, request)
            answer = AllowAnswer(granted=True, text=text)
        except QGuardError as error:
            answer = AllowAnswer(granted=False, text=str(error))
        await asyncio.to_thread(self._folder.answer, name, answer)

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
