"""One connection of a kernel: what is asked for, whether it may be, where it leads, what the client says, then bytes.

The order is the guard: decide, resolve and check, record, dial, answer, read the TLS greeting, and only then pass
anything on. Each step ends in a refusal of its own kind, and an unexpected error is one too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from jupyter_qguard.egress.dial import UnreachableError, UpstreamProxy, dial
from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.refusal import ESTABLISHED, PONG, Status, http_refusal
from jupyter_qguard.egress.relay import Relay
from jupyter_qguard.egress.request import RequestKind, parse_request
from jupyter_qguard.egress.resolver import NoAddressError
from jupyter_qguard.egress.waiting import Deadline
from jupyter_qguard.errors import AuditUnavailableError
from jupyter_qguard.gateway.admission import RefusedError, admit
from jupyter_qguard.gateway.control import DoorKind
from jupyter_qguard.gateway.goodbye import in_its_words, say_goodbye
from jupyter_qguard.gateway.greeting import greeting_problem
from jupyter_qguard.gateway.opening import serve_brokered
from jupyter_qguard.policy.address import address_problem, parse_address
from jupyter_qguard.policy.destination import Destination
from jupyter_qguard.policy.egress import EgressAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.gateway.kernel import Kernel
    from jupyter_qguard.policy.address import Address
    from jupyter_qguard.policy.egress import EgressVerdict
    from jupyter_qguard.policy.host import Host

T = TypeVar("T")
_RECEIVED = 16 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Grant:
    """What was let through, to be asked about again when the policy changes."""

    destination: Destination
    verdict: EgressVerdict
    address: Address | None = None
    """None while it is not known, and behind a proxy of the machine."""


class Passage:
    """From an accepted connection to its end."""

    def __init__(self, client: socket.socket, door: DoorKind, kernel: Kernel) -> None:
        """*client* does not block, and is this object's from now on."""
        self._client, self._door, self._kernel = client, door, kernel
        self._loop = asyncio.get_running_loop()
        self._upstream: socket.socket | None = None
        self._received = b""
        """What the client has said and nobody has read yet."""
        self._asked: Destination | None = None
        self._grant: _Grant | None = None
        self._brokered = False
        self._unused = True
        """Whether the connection upstream has carried nothing yet."""
        self._inside = door is DoorKind.DIRECT
        """Whether the client speaks to its server already, and no more to the proxy."""

    async def run(self, *, busy: bool, opened: Callable[[], None]) -> None:
        """Serve the client; refuse it if the kernel has too many connections. *opened* is called when bytes flow."""
        try:
            try:
                if not await self._open(busy=busy):
                    return
            except RefusedError as refusal:
                await self._refuse(refusal)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, it must refuse and not end the gateway
                if not isinstance(error, OSError):
                    _log.error("a connection failed inside of the gateway: %s", type(error).__name__)
                    await self._refuse(RefusedError(Status.UNAVAILABLE, "the gateway failed; nothing was let through"))
                return
            opened()
            assert self._upstream is not None  # noqa: S101 - _open gives it
            if self._brokered:
                assert self._asked is not None  # noqa: S101 - _open gives it
                await serve_brokered(self._client, self._received, self._kernel, self._asked, self._vendor)
                return
            await Relay(self._client, self._upstream, self._kernel.limits.idle_seconds, self._received).run()
        finally:
            self._client.close()
            if self._upstream is not None:
                self._upstream.close()

    def problem_now(self) -> str:
        """Why what was let through would not be any more; empty if it still would."""
        if self._grant is None:
            return ""
        rulings, verdict = self._kernel.means.rulings, self._kernel.connection(self._grant.destination)
        if verdict.action is EgressAction.REFUSE:
            return verdict.reason
        if self._grant.verdict.plain and not verdict.plain:
            return "TLS is required now"
        if not self._brokered and rulings.place(self._kernel.who.kernel, self._grant.destination) is not None:
            return "its requests are opened and judged now"
        if self._grant.address is None:
            changed = verdict.addresses != self._grant.verdict.addresses
            return "the `addresses` of its entry have changed" if changed else ""
        return address_problem(self._grant.address, verdict.addresses)

    def closed_by(self, reason: str) -> None:
        """Record that the policy closed it."""
        self._note(f"closed, no longer allowed: {reason}", "")

    async def _open(self, *, busy: bool) -> bool:
        """Everything until bytes may flow; whether they may. Raises RefusedError, or OSError if the client goes."""
        if self._door is DoorKind.PROXY:
            onward = await self._proxy_request()
        else:
            onward = None
            self._asked = self._direct_request()
        if self._asked is None:
            await say_goodbye(self._client, PONG)
            return False
        if busy:
            reason = f"this kernel has {self._kernel.limits.connections} connections open already"
            raise RefusedError(Status.BUSY, reason)
        verdict = self._decide(self._asked)
        self._brokered = self._is_brokered(self._asked, verdict)
        if onward is not None and (self._brokered or not verdict.plain):
            text = f"`{self._asked.host}` is allowed with TLS only: use https://"
            raise RefusedError(Status.FORBIDDEN, text, verdict.rule)
        await self._reach(self._asked, verdict)
        if onward is not None:
            self._received = onward + self._received
            return True
        if self._door is DoorKind.PROXY:
            await self._loop.sock_sendall(self._client, ESTABLISHED)
            self._inside = True
        if self._brokered or not verdict.plain:
            await self._check_greeting(self._asked.host, verdict)
        return True

    def _is_brokered(self, asked: Destination, verdict: EgressVerdict) -> bool:
        """Whether requests to *asked* are opened and judged."""
        if self._kernel.means.rulings.place(self._kernel.who.kernel, asked) is None:
            return False
        authority = self._kernel.authority
        if authority is None or asked.host.name not in authority.hosts:
            reason = f"`{asked.host}` is brokered since this kernel was started: restart the kernel"
            raise RefusedError(Status.FORBIDDEN, reason, verdict.rule)
        return True

    async def _vendor(self) -> socket.socket:
        """A connection to a brokered host: the one that was made, then new ones by the same rules."""
        if self._unused and self._upstream is not None:
            self._unused = False
            return self._upstream
        assert self._asked is not None  # noqa: S101 - brokered connections have asked
        if self._upstream is not None:
            self._upstream.close()
        try:
            await self._reach(self._asked, self._decide(self._asked))
        except RefusedError as refusal:
            self._note(refusal.reason, refusal.rule)
            raise ConnectionRefusedError from None
        assert self._upstream is not None  # noqa: S101 - _reach gives it
        return self._upstream

    async def _proxy_request(self) -> bytes | None:
        """What the client asks the proxy for, if it may ask; the head to send on where it is a plain request."""
        try:
            with Deadline(self._kernel.limits.first_words_seconds):
                request = await self._read(parse_request)
        except WireError as error:
            raise RefusedError(Status.BAD_REQUEST, str(error)) from None
        except TimeoutError:
            raise RefusedError(Status.BAD_REQUEST, "no whole request came in time") from None
        admit(self._kernel.credential, request.authorization)
        self._received = request.rest
        self._asked = request.destination
        return request.onward if request.kind is RequestKind.PLAIN else None

    def _direct_request(self) -> Destination:
        """The name whose address the client connected to."""
        address, port = self._client.getsockname()[:2]
        try:
            host = self._kernel.table.host_at(str(parse_address(address)))
        except ValueError:
            host = None
        if host is None:
            reason = "no name was given this address: connect by name, or through the proxy"
            raise RefusedError(Status.FORBIDDEN, reason)
        return Destination(host, port)

    def _decide(self, destination: Destination) -> EgressVerdict:
        verdict = self._kernel.connection(destination)
        if verdict.action is EgressAction.REFUSE:
            raise RefusedError(Status.FORBIDDEN, verdict.reason, verdict.rule)
        self._grant = _Grant(destination, verdict)
        return verdict

    async def _reach(self, destination: Destination, verdict: EgressVerdict) -> None:
        """Resolve, check, record, dial."""
        means, host = self._kernel.means, destination.host
        proxy_url = means.rulings.policy.egress.upstream_proxy
        try:
            if proxy_url is None or host.address is not None:
                addresses = await means.resolver.acceptable(host, verdict.addresses, self._kernel.slots)
            else:
                addresses = ()
            await self._kernel.await_record(destination)
            await means.recorder.allowed(self._kernel.who, means.rulings.shown(host.name), destination.port, verdict)
            if proxy_url is None:
                self._upstream, address = await dial(addresses, destination.port)
                self._grant = _Grant(destination, verdict, address)
            else:
                proxy = UpstreamProxy.parse(proxy_url)
                theirs = await means.resolver.unchecked(proxy.host, means.proxy_slots)
                self._upstream = await proxy.tunnel(theirs, destination)
        except NoAddressError as error:
            status = Status.FORBIDDEN if error.forbidden else Status.UNREACHABLE
            raise RefusedError(status, str(error), verdict.rule) from None
        except AuditUnavailableError:
            reason = "nothing can be recorded in the audit log, so nothing is let through"
            raise RefusedError(Status.UNAVAILABLE, reason) from None
        except UnreachableError as error:
            means.resolver.forget(host)
            raise RefusedError(Status.UNREACHABLE, f"`{host}` cannot be reached: {error}", verdict.rule) from None

    async def _check_greeting(self, host: Host, verdict: EgressVerdict) -> None:
        problem = await greeting_problem(self._read, host, self._kernel.limits.first_words_seconds)
        if not problem:
            return
        if self._brokered or not self._kernel.means.rulings.observes:
            raise RefusedError(Status.FORBIDDEN, problem, verdict.rule)
        self._note(problem, verdict.rule, would=EgressAction.REFUSE.label)

    async def _read(self, parse: Callable[[bytes], T | None]) -> T:
        """What *parse* makes of what the client says, as soon as it is enough. Raises what *parse* does, or OSError."""
        while True:
            found = parse(self._received) if self._received else None
            if found is not None:
                return found
            more = await self._loop.sock_recv(self._client, _RECEIVED)
            if not more:
                raise ConnectionResetError
            self._received += more

    def _note(self, reason: str, rule: str, would: str = "") -> None:
        host, port = ("", 0) if self._asked is None else (self._asked.host.name, self._asked.port)
        self._kernel.note(host, port, reason, rule, would)

    async def _refuse(self, refusal: RefusedError) -> None:
        """Record it, tell the person, answer the client in its own protocol, and let it read that."""
        if refusal.recorded:
            self._note(refusal.reason, refusal.rule)
        answer = http_refusal(refusal.status, refusal.reason)
        with contextlib.suppress(OSError):
            if self._inside:
                limit = self._kernel.limits.refused_words_seconds
                answer = await in_its_words(self._client, self._received, answer, limit)
            await say_goodbye(self._client, answer)
