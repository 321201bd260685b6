"""A connection of a kernel to a brokered host, opened: each request is judged, and goes out with the credential.

The order for one request: judge, record, send, read the answer, take the credential out of it, pass it on. Nothing is
ever sent twice: where an answer to a submit is lost, that is recorded as an unknown job before the kernel hears of it.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.broker.body import BodyWatch
from jupyter_qguard.broker.exchange import MAX_BODY as MAX_EXCHANGE
from jupyter_qguard.broker.exchange import Answered, read_answer, read_request, request_body
from jupyter_qguard.broker.job import job_named
from jupyter_qguard.broker.judge import Judge, Request
from jupyter_qguard.broker.lease import LeaseBook
from jupyter_qguard.broker.message import (
    backward_headers,
    check_readable,
    exchange_headers,
    onward_headers,
    refusal_body,
)
from jupyter_qguard.broker.quota import QuotaBook
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.broker.scrub import Scrubber
from jupyter_qguard.catalog.model import OperationClass
from jupyter_qguard.egress.refusal import one_line
from jupyter_qguard.egress.waiting import Deadline
from jupyter_qguard.gateway.http1 import KernelSide, VendorSide

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    import h11

    from jupyter_qguard.broker.judge import Place, Ruling
    from jupyter_qguard.broker.lease import Lease
    from jupyter_qguard.gateway.operations import OperationRecords
    from jupyter_qguard.gateway.secure import SecureStream

_AT_ONCE = 1 << 20
"""Bytes of a body that are looked at before anything is sent; also the most that the answer to a submit may have."""
_ANSWER_SECONDS, _IDLE_SECONDS = 600.0, 3600.0
_LOST = 424
"""Failed Dependency: of the statuses after which no vendor's client repeats a request by itself."""
_OK, _MULTIPLE, _REFUSED, _FAILED = 200, 300, 400, 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """What all brokered connections of a gateway share."""

    leases: LeaseBook = field(default_factory=LeaseBook)
    quotas: QuotaBook = field(default_factory=QuotaBook)
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""

    @property
    def judge(self) -> Judge:
        """Who decides on requests."""
        return Judge(self.leases, self.quotas, self.clock)


class BrokeredConnection:
    """Serves the requests of one connection, one after the other."""

    def __init__(
        self,
        kernel: SecureStream,
        where: Callable[[], Place | None],
        *,
        broker: Broker,
        reach: Callable[[], Awaitable[SecureStream]],
        records: OperationRecords,
        tell: Callable[[RequestRefusedError], None],
    ) -> None:
        """*where* says for each request what is in force; *reach* connects to the vendor; *tell* tells the person."""
        self._kernel, self._where = KernelSide(kernel), where
        self._place: Place | None = None
        self._broker, self._judge, self._reach = broker, broker.judge, reach
        self._records, self._tell = records, tell
        self._vendor: VendorSide | None = None
        self._ruling: Ruling | None = None
        self._cut = False

    async def run(self) -> None:
        """Until the client is done or was refused. Raises OSError if it goes."""
        while True:
            self._ruling = None
            try:
                with Deadline(_IDLE_SECONDS):
                    head = await self._kernel.request()
                if head is None:
                    return
                self._place = self._where()
                if self._place is None:
                    text = "the policy has no access entry for this host any more"
                    raise RequestRefusedError(Cause.POLICY, text)  # noqa: TRY301 - answered as the others are
                await self._serve(self._place, head)
            except RequestRefusedError as refusal:
                await self._refuse(refusal)
                return
            except Exception as error:
                if isinstance(error, OSError):
                    raise
                _log.error("a brokered request failed inside of the gateway: %s", type(error).__name__)
                await self._refuse(RequestRefusedError(Cause.GUARD, "the gateway failed", status=500))
                return
            if not self._kernel.again():
                return

    async def _serve(self, place: Place, head: h11.Request) -> None:
        if dict(head.headers).get(b"host", b"").partition(b":")[0].decode("latin-1").lower() != place.host:
            raise RequestRefusedError(Cause.GUARD, "the request names another host than its connection", status=421)
        request = Request(head.method.decode("ascii"), head.target.decode("latin-1"), onward_headers(head.headers))
        ruling = self._ruling = self._judge.rule(place, request)
        if ruling.exchange is not None:
            await self._exchange(place, ruling, dict(request.headers).get("content-type", ""))
            return
        if ruling.lease is None:
            await self._pass(place, ruling, Scrubber(()))
            return
        with self._under(ruling.lease):
            await self._pass(place, ruling, Scrubber(ruling.lease.values()))

    @contextlib.contextmanager
    def _under(self, lease: Lease) -> Iterator[None]:
        """If *lease* ends meanwhile, so does what is under way with it."""
        lease.cuts.add(self._sever)
        try:
            yield
        finally:
            lease.cuts.discard(self._sever)

    def _sever(self) -> None:
        self._cut = True
        if self._vendor is not None:
            self._vendor.sever()

    def _still_lent(self) -> None:
        if self._cut:
            raise RequestRefusedError(
                Cause.CREDENTIAL, "the lease has ended while the request was under way", status=401
            )

    async def _pass(self, place: Place, ruling: Ruling, scrubber: Scrubber) -> None:
        """Everything but token exchanges. *scrubber* knows the values also where the lease ends meanwhile."""
        parts = aiter(_watched(self._kernel.body()))
        begun, whole = await _beginning(parts)
        await self._records.allowed(place, ruling)
        try:
            vendor = await self._connected(place)
            self._still_lent()
        except RequestRefusedError:
            self._judge.take_back(ruling)
            raise
        length = sum(map(len, begun)) if whole else None
        try:
            answer = await self._asked(vendor, ruling, begun, parts, length)
        except RequestRefusedError:
            self._vendor = None  # broken off: the vendor has no whole request
            self._judge.take_back(ruling)
            raise
        except (OSError, TimeoutError):
            self._vendor = None
            raise await self._lost(place, ruling) from None
        await self._answer(place, ruling, vendor, answer, scrubber)

    async def _asked(
        self, vendor: VendorSide, ruling: Ruling, begun: list[bytes], rest: AsyncIterator[bytes], length: int | None
    ) -> h11.Response:
        await vendor.ask(ruling.method, str(ruling.target), ruling.headers, length)
        for part in begun:
            await vendor.data(part)
        if length is None:
            async for part in rest:
                await vendor.data(part)
        await vendor.finish()
        with Deadline(_ANSWER_SECONDS):
            return await vendor.answer()

    async def _lost(self, place: Place, ruling: Ruling) -> RequestRefusedError:
        """No answer came to what was sent."""
        if ruling.matched.does is not OperationClass.SUBMIT:
            self._still_lent()
            return RequestRefusedError(Cause.NETWORK, f"`{place.host}` broke off without an answer", status=502)
        await self._records.unknown(ruling)
        text = (
            f"`{place.host}` gave no answer to a submit: the job may exist. It was not repeated; look for it in the "
            "vendor's list of jobs before you submit again"
        )
        return RequestRefusedError(Cause.NETWORK, text, status=_LOST)

    async def _answer(
        self, place: Place, ruling: Ruling, vendor: VendorSide, answer: h11.Response, scrubber: Scrubber
    ) -> None:
        """Pass *answer* on, without the credential."""
        headers = backward_headers(answer.headers, scrubber)
        check_readable(headers)
        body, does = vendor.body(), ruling.matched.does
        if answer.status_code >= _REFUSED:
            await self._records.failed(place, ruling, answer.status_code)
        held = b""
        if does is OperationClass.SUBMIT:
            held = await self._submitted(place, ruling, answer.status_code, headers, body)
        else:
            if does is OperationClass.READ_RESULTS and _OK <= answer.status_code < _MULTIPLE:
                await self._records.read(ruling)
            self._still_lent()
        await self._kernel.answer(answer.status_code, _phrase(answer, scrubber), headers)
        await self._kernel.data(scrubber.feed(held))
        async for part in body:
            await self._kernel.data(scrubber.feed(part))
        await self._kernel.data(scrubber.end())
        if self._cut:  # the end of a body that only the end of its connection marks was no end
            raise ConnectionAbortedError
        await self._kernel.finish()

    async def _submitted(
        self, place: Place, ruling: Ruling, status: int, headers: list[tuple[str, str]], body: AsyncIterator[bytes]
    ) -> bytes:
        """Record what became of a submit; the beginning of the answer's body, which was read for that."""
        if status >= _FAILED:
            await self._records.unknown(ruling, f"the vendor answered {status}")
        if not _OK <= status < _MULTIPLE or not ruling.matched.operation.job:
            return b""
        try:
            with Deadline(_ANSWER_SECONDS):
                held, ended = await _up_to(body, _AT_ONCE)
        except (OSError, TimeoutError):
            self._vendor = None
            raise await self._lost(place, ruling) from None
        job = job_named(ruling.matched.operation.job, headers, held) if ended else ""
        await self._records.submitted(ruling, job)
        return held

    async def _exchange(self, place: Place, ruling: Ruling, content_type: str) -> None:
        """Swap handles for the key in the request, and the tokens for handles in the answer."""
        assert ruling.exchange is not None  # noqa: S101 - the caller looked
        body, ended = await _up_to(self._kernel.body(), MAX_EXCHANGE)
        if not ended:
            raise RequestRefusedError(Cause.GUARD, "the token exchange is too large", status=413)
        lease, onward = self._exchange_body(place, ruling, content_type, body)
        scrubber = Scrubber(lease.values())
        with self._under(lease):
            answer, text, ended = await self._exchanged(place, ruling, onward)
        headers = backward_headers(answer.headers, scrubber)
        check_readable(headers)
        headers = exchange_headers(headers)
        if not ended:
            raise RequestRefusedError(Cause.VENDOR, "the answer to the token exchange is too large", status=502)
        if _OK <= answer.status_code < _MULTIPLE:
            cookies = tuple(value.decode("latin-1") for name, value in answer.headers if name == b"set-cookie")
            passed = read_answer(
                ruling.exchange,
                Answered(text, cookies),
                self._broker.clock(),
                lambda handle, held: self._broker.leases.extend(lease, handle, held),
            )
            text = passed.body
            headers += [("set-cookie", cookie) for cookie in passed.cookies]
        else:
            text = scrubber.whole(text)
            await self._records.failed(place, ruling, answer.status_code)
        headers.append(("content-length", str(len(text))))
        await self._kernel.answer(answer.status_code, _phrase(answer, scrubber), headers)
        await self._kernel.data(text)
        await self._kernel.finish()

    async def _exchanged(self, place: Place, ruling: Ruling, onward: bytes) -> tuple[h11.Response, bytes, bool]:
        """The vendor's answer to an exchange: head, body, and whether that is all of it."""
        await self._records.allowed(place, ruling)
        vendor = await self._connected(place)
        self._still_lent()
        try:
            await vendor.ask(ruling.method, str(ruling.target), ruling.headers, len(onward))
            await vendor.data(onward)
            await vendor.finish()
            with Deadline(_ANSWER_SECONDS):
                answer = await vendor.answer()
                text, ended = await _up_to(vendor.body(), MAX_EXCHANGE)
        except (OSError, TimeoutError):
            self._vendor = None
            raise await self._lost(place, ruling) from None
        self._still_lent()
        return answer, text, ended

    def _exchange_body(self, place: Place, ruling: Ruling, content_type: str, body: bytes) -> tuple[Lease, bytes]:
        """Whose exchange it is, and the body for the vendor."""
        assert ruling.exchange is not None  # noqa: S101 - the caller looked
        if ruling.lease is not None and not ruling.exchange.fields:
            BodyWatch().look(body)
            return ruling.lease, body
        asked = read_request(ruling.exchange, content_type, body)
        lease, values = self._judge.exchanged(place, ruling, asked)
        return lease, request_body(asked, values)

    async def _connected(self, place: Place) -> VendorSide:
        """A connection to the vendor that waits for a request: the one before this, or a new one."""
        if self._vendor is not None and self._vendor.again():
            return self._vendor
        try:
            stream = await self._reach()
            await stream.handshake()
        except ssl.SSLCertVerificationError:
            text = f"the certificate of `{place.host}` is not one to be trusted"
            raise RequestRefusedError(Cause.NETWORK, text, status=502) from None
        except (OSError, TimeoutError):
            text = f"`{place.host}` cannot be reached"
            raise RequestRefusedError(Cause.NETWORK, text, status=502) from None
        self._vendor = VendorSide(stream, place.authority)
        return self._vendor

    async def _refuse(self, refusal: RequestRefusedError) -> None:
        """Record it, tell the person, and answer where no answer has begun."""
        if self._place is not None:
            self._records.refused(self._place, refusal, self._ruling.matched if self._ruling else None)
        self._tell(refusal)
        if not self._kernel.untouched:
            return
        body = refusal_body(refusal)
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("x-qguard-cause", refusal.cause.value),
            ("connection", "close"),
        ]
        if refusal.retry_after:
            headers.append(("retry-after", str(refusal.retry_after)))
        with contextlib.suppress(OSError):
            await self._kernel.answer(refusal.status, one_line(f"qguard: {refusal.reason}"), headers)
            await self._kernel.data(body)
            await self._kernel.finish()


async def _watched(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    watch = BodyWatch()
    async for part in parts:
        watch.look(part)
        yield part


async def _beginning(parts: AsyncIterator[bytes]) -> tuple[list[bytes], bool]:
    """The first parts of a body, and whether that was all."""
    begun, size = [], 0
    async for part in parts:
        begun.append(part)
        size += len(part)
        if size > _AT_ONCE:
            return begun, False
    return begun, True


async def _up_to(parts: AsyncIterator[bytes], most: int) -> tuple[bytes, bool]:
    """The beginning of a body, and whether it ended within *most* bytes."""
    begun = bytearray()
    async for part in parts:
        begun += part
        if len(begun) > most:
            return bytes(begun), False
    return bytes(begun), True


def _phrase(answer: h11.Response, scrubber: Scrubber) -> str:
    return scrubber.whole(bytes(answer.reason)).decode("latin-1")
