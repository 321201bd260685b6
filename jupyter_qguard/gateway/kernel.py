"""One kernel, as the gateway knows it: its names, its limits, its connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.audit.event import AuditEvent
from jupyter_qguard.audit.refusals import WINDOW_SECONDS
from jupyter_qguard.gateway.brokered import Broker
from jupyter_qguard.gateway.control import Refused
from jupyter_qguard.gateway.limits import Limits, RecordLimit
from jupyter_qguard.gateway.passage import Passage
from jupyter_qguard.gateway.telling import Telling, Untold
from jupyter_qguard.policy.egress import EgressAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.audit.event import EventData
    from jupyter_qguard.egress.names import NameTable
    from jupyter_qguard.egress.resolver import Resolver
    from jupyter_qguard.gateway.authority import Authority
    from jupyter_qguard.gateway.control import DoorKind
    from jupyter_qguard.gateway.conversation import Conversation
    from jupyter_qguard.gateway.lender import Lender
    from jupyter_qguard.gateway.line import OwnerLine
    from jupyter_qguard.gateway.recorder import Recorder, Who
    from jupyter_qguard.gateway.rulings import Rulings
    from jupyter_qguard.policy.allowance import Allowance
    from jupyter_qguard.policy.destination import Destination
    from jupyter_qguard.policy.egress import EgressVerdict
    from jupyter_qguard.policy.host import Host
    from jupyter_qguard.policy.model import Tier

_TOO_MANY = "further refusals: too many different ones for a record each"


@dataclass(slots=True)
class Means:
    """What all kernels share."""

    rulings: Rulings
    """Replaced when the policy changes."""
    resolver: Resolver
    recorder: Recorder
    line: OwnerLine
    proxy_slots: asyncio.Semaphore
    """Look-ups of the machine's proxy, which wait for no kernel's."""
    limits: Limits
    broker: Broker = field(default_factory=Broker)
    lender: Lender = field(init=False)
    """Of the gateway, which has one as soon as it is made."""


class Kernel:
    """What belongs to one kernel."""

    def __init__(
        self,
        who: Who,
        tier: Tier,
        table: NameTable,
        means: Means,
        *,
        credential: str = "",
        authority: Authority | None = None,
    ) -> None:
        """*table* holds the names that it learned from a gateway before this one.

        *credential* is the digest of its password, where others reach its listeners too; *authority* is whom it trusts
        for what is brokered.
        """
        self.who, self.tier, self.credential, self.authority = who, tier, credential, authority
        self.table, self.means, self.limits = table, means, means.limits
        self.ports: set[int] = set()
        """Those of its direct listeners."""
        self.untold = Untold()
        self.conversation: Conversation | None = None
        self.cell = self.trace = ""
        """Of the cell that runs, as claimed."""
        self.slots = means.resolver.slots()
        self.unfinished = 0
        """Connections that are no tunnel yet."""
        now = asyncio.get_running_loop().time()
        each = self.limits
        self._noting = RecordLimit(each.refusals_per_second, now, each.refusals_at_once, WINDOW_SECONDS)
        self._reaching = RecordLimit(each.destinations_per_second, now, each.destinations_at_once, WINDOW_SECONDS)
        self._telling = Telling(means.line.offer, asyncio.get_running_loop().time)
        self._passages: dict[asyncio.Task[None], Passage] = {}
        self._allowed: dict[Destination, tuple[Allowance, float]] = {}
        """What a person allowed once, and until when by the loop's clock."""

    def serve(self, client: socket.socket, door: DoorKind, finished: Callable[[], None]) -> None:
        """Serve an accepted connection. *finished* is called when one less is unfinished."""
        client.setblocking(False)
        # Small answers are not held back until the client acknowledges the ones before.
        with contextlib.suppress(OSError):  # it may be gone already
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        busy = len(self._passages) >= self.limits.connections + self.unfinished
        passage = Passage(client, door, self)
        left = [finished]
        self.unfinished += 1

        def settled() -> None:
            if left:
                self.unfinished -= 1
                left.pop()()

        task = asyncio.get_running_loop().create_task(passage.run(busy=busy, opened=settled))
        self._passages[task] = passage

        def over(done: asyncio.Task[None]) -> None:
            del self._passages[done]
            settled()

        task.add_done_callback(over)

    def event(self, data: EventData) -> AuditEvent:
        """What happened, with where it came from as far as that is known."""
        return AuditEvent(
            data=data, kernel=self.who.kernel, notebook=self.who.notebook, cell=self.cell, correlationid=self.trace
        )

    def note(self, host: str, port: int, reason: str, rule: str, would: str = "") -> None:
        """Record a refusal, and tell the person; with *would*, record only what the policy would do if enforced."""
        shown = self.means.rulings.shown(host)
        if host:
            reason = reason.replace(host, shown)
        if not self._noting.wait((shown, port, reason), asyncio.get_running_loop().time()):
            self.means.recorder.refused(self.who, shown, port, reason, would)
        else:
            self.means.recorder.refused(self.who, "…", 0, _TOO_MANY, would)
        if not would:
            self.tell(shown, port, reason, rule)

    def tell(self, host: str, port: int, reason: str, rule: str) -> None:
        """Tell the person of a refusal that has its record."""
        refused = Refused(kernel=self.who.kernel, host=host, port=port, reason=reason, rule=rule)
        self._telling.tell(refused)
        if self.untold.add(refused) and self.conversation is not None:
            self.conversation.tell_of_refusals()

    async def await_record(self, destination: Destination) -> None:
        """Wait until what is let through to *destination* can be recorded: ever new ones must not fill the disk."""
        loop = asyncio.get_running_loop()
        while seconds := self._reaching.wait(destination, loop.time()):  # noqa: ASYNC110 - for time alone
            await asyncio.sleep(seconds)

    def connection(self, destination: Destination) -> EgressVerdict:
        """The verdict on a connection: the policy's, and where that says nothing, a person's."""
        verdict = self.means.rulings.connection(destination)
        return self._bent(verdict, destination) if verdict.action is EgressAction.REFUSE else verdict

    def name(self, host: Host) -> EgressVerdict:
        """The verdict on telling an address for *host*."""
        verdict = self.means.rulings.name(host)
        if verdict.action is EgressAction.ALLOW:
            return verdict
        return next((self._bent(verdict, each) for each in self._allowed if each.host == host), verdict)

    def allow(self, allowance: Allowance, seconds: float) -> None:
        """Put *allowance*, which is recorded, in force."""
        until = asyncio.get_running_loop().time() + seconds
        self._allowed[allowance.destination] = allowance, until

    def end_allowances(self) -> None:
        """Forget those whose time is over, and close what they let through."""
        now = asyncio.get_running_loop().time()
        over = [destination for destination, (_, until) in self._allowed.items() if until <= now]
        for destination in over:
            del self._allowed[destination]
        if over:
            self.review()

    @property
    def allowances(self) -> list[Allowance]:
        """Those in force."""
        return [allowance for allowance, _ in self._allowed.values()]

    def _bent(self, verdict: EgressVerdict, destination: Destination) -> EgressVerdict:
        """What a person says of *destination*, if the policy does not speak of it."""
        allowance, until = self._allowed.get(destination, (None, 0.0))
        if allowance is None or verdict.rule or until <= asyncio.get_running_loop().time():
            return verdict
        return allowance.verdict

    def review(self) -> None:
        """Another policy is in force: close what it does not allow."""
        for task, passage in list(self._passages.items()):
            problem = passage.problem_now()
            if problem:
                passage.closed_by(problem)
                task.cancel()

    async def close(self) -> None:
        """Close every connection."""
        tasks = list(self._passages)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
