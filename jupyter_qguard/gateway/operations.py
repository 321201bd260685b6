"""What was asked of vendors, into the audit log: before it goes out where it spends something, counted where it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.audit.event import JobSubmitted, JobUnknown, OperationDecided, ResultRead
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.catalog.model import OperationClass
from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from jupyter_qguard.audit.event import EventData
    from jupyter_qguard.broker.judge import Place, Ruling
    from jupyter_qguard.broker.operation import Matched
    from jupyter_qguard.gateway.kernel import Kernel

_COUNTED = frozenset({OperationClass.INSPECT, OperationClass.AUTH})
"""Asked again and again while a job waits; of the others each has a record of its own, on the disk before it goes out."""


class OperationRecords:
    """For one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._recorder = kernel, kernel.means.recorder

    async def allowed(self, place: Place, ruling: Ruling) -> None:
        """The request goes out next. Raises RequestRefusedError where that cannot be recorded."""
        data = OperationDecided(
            action="allow",
            operation=ruling.matched.does.value,
            vendor=place.vendor.id,
            host=place.host,
            request=ruling.matched.label,
            lease=ruling.lease.id if ruling.lease else "",
        )
        await self._record(data, counted=ruling.matched.does in _COUNTED)

    def refused(self, place: Place, refusal: RequestRefusedError, matched: Matched | None) -> None:
        """The request did not go out, or its answer did not come."""
        data = OperationDecided(
            action="refuse",
            operation=matched.does.value if matched else "",
            vendor=place.vendor.id,
            host=place.host,
            request=matched.label if matched else "",
            cause=refusal.cause.value,
            reason=refusal.reason,
        )
        self._recorder.note(self._kernel.event(data))

    async def failed(self, place: Place, ruling: Ruling, status: int) -> None:
        """The vendor itself refused, or failed: its answer goes to the kernel as it is."""
        data = OperationDecided(
            action="allow",
            operation=ruling.matched.does.value,
            vendor=place.vendor.id,
            host=place.host,
            request=ruling.matched.label,
            lease=ruling.lease.id if ruling.lease else "",
            cause=Cause.VENDOR.value,
            reason=f"the vendor answered {status}",
        )
        await self._record(data, counted=True)

    async def submitted(self, ruling: Ruling, job: str) -> None:
        """The vendor took a job, and said so; an empty *job* where it did not name it."""
        vendor, lease = self._of(ruling)
        if job:
            await self._record(JobSubmitted(vendor=vendor, job=job, lease=lease))
        else:
            await self._record(JobUnknown(vendor=vendor, lease=lease, detail="the answer does not name the job"))

    async def unknown(self, ruling: Ruling, detail: str = "no answer came after the request was sent") -> None:
        """A job was submitted and no good answer came: it may exist."""
        vendor, lease = self._of(ruling)
        await self._record(JobUnknown(vendor=vendor, lease=lease, detail=detail))

    async def read(self, ruling: Ruling) -> None:
        """A result goes to the kernel."""
        vendor, lease = self._of(ruling)
        await self._record(ResultRead(vendor=vendor, job=ruling.matched.job, lease=lease), counted=True)

    @staticmethod
    def _of(ruling: Ruling) -> tuple[str, str]:
        return (ruling.lease.vendor.id, ruling.lease.id) if ruling.lease else ("", "")

    async def _record(self, data: EventData, *, counted: bool = False) -> None:
        try:
            await self._recorder.record(self._kernel.event(data), counted=counted)
        except AuditUnavailableError:
            text = "nothing can be recorded in the audit log, so nothing is sent"
            raise RequestRefusedError(Cause.GUARD, text, status=503) from None
