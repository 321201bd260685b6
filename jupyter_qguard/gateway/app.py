"""The gateway process: listens to its owner, keeps the policy up to date, and ends when the owner's end closes.

It never outlives its owner, and nothing can be asked of it but through the inherited pair and a kernel's listeners.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.audit import AuditLog, Identity, LogSettings, audit_paths
from jupyter_qguard.egress.names import NameTable
from jupyter_qguard.egress.resolver import Resolver, system_lookup
from jupyter_qguard.errors import AuditUnavailableError, InputError, QGuardError
from jupyter_qguard.gateway import control
from jupyter_qguard.gateway.authority import Authority
from jupyter_qguard.gateway.desk import Desk
from jupyter_qguard.gateway.doors import Doors, take_doors
from jupyter_qguard.gateway.kernel import Kernel, Means
from jupyter_qguard.gateway.lender import Lender
from jupyter_qguard.gateway.limits import Limits
from jupyter_qguard.gateway.line import OwnerLine
from jupyter_qguard.gateway.recorder import Recorder, Who
from jupyter_qguard.gateway.rulings import Rulings, today
from jupyter_qguard.gateway.spool import Spool
from jupyter_qguard.policy import LivePolicy
from jupyter_qguard.policy import model as policy_model

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Iterable

    from jupyter_qguard.policy import LoadedPolicy

_LOOK_SECONDS = 0.5
"""Between looks at the policy's files, so that a change is in force within 2 s."""
_COUNT_SECONDS = 10.0
"""Between records of repeated connections, as the audit log counts refusals."""
_NOTICE, _NOTICES = 2000, 8
_log = logging.getLogger(__name__)


async def serve(
    end: socket.socket, *, lookup: Callable[[str], Iterable[str]] = system_lookup, limits: Limits | None = None
) -> None:
    """Be the gateway of the owner at the other side of *end*, until that closes.

    Raises
    ------
    InputError
        The owner says what no owner says.
    """
    line = OwnerLine(end)
    try:
        try:
            welcome, descriptors = await line.receive()
        except EOFError:
            return
        if not isinstance(welcome, control.Welcome) or descriptors:
            text = "the first message to a gateway says in whose name it acts"
            raise InputError(text)
        live = LivePolicy(environ=os.environ, home=Path.home())
        recorder = Recorder(lambda: _open_log(live.current, welcome))
        person = policy_model.Who(frozenset({welcome.user}), frozenset(welcome.groups))
        resolver = Resolver(lookup)
        rulings = Rulings(live.current, person, today())
        means = Means(rulings, resolver, recorder, line, resolver.slots(), limits or Limits())
        await Gateway(means, live, person).run()
    finally:
        line.close()


def _short(notices: tuple[str, ...]) -> tuple[str, ...]:
    """*notices* fit for one packet: an invalid policy may be told of at length."""
    return tuple(notice if len(notice) <= _NOTICE else f"{notice[:_NOTICE]}…" for notice in notices[:_NOTICES])


def _open_log(loaded: LoadedPolicy, welcome: control.Welcome) -> AuditLog:
    settings = loaded.policy.audit
    paths = audit_paths(settings.path, os.environ, Path.home())
    identity = Identity(kind=welcome.kind, user=welcome.user, source="gateway")
    return AuditLog.open(
        paths.folder, identity, key_path=paths.key, settings=LogSettings(retention_days=settings.retention_days)
    )


class Gateway:
    """Serves one owner."""

    def __init__(self, means: Means, live: LivePolicy, person: policy_model.Who) -> None:
        self._means, self._live, self._person = means, live, person
        self._lender = means.lender = Lender(means, os.environ, Path.home())
        self._kernels: dict[str, Doors] = {}
        self._recalled: dict[str, NameTable] = {}
        self._spool = Spool.of(os.environ, Path.home())
        self._desk = Desk(self._spool, self._kernels, self._lender)
        self._work: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the owner's end closes."""
        recorder = self._means.recorder
        await recorder.open()
        if not recorder.trouble:
            await recorder.policy_loaded(self._live.current)
        await self._prepare()
        notices = self._live.current.notices
        if recorder.trouble:
            notices = (*notices, f"Nothing is let through: {recorder.trouble}")
        try:
            await self._means.line.send(control.Ready(pid=os.getpid(), notices=_short(notices)))
            self._start(self._watch_policy())
            self._start(self._write_counts())
            self._start(self._lender.keep_signed_in())
            while True:
                message, descriptors = await self._means.line.receive()
                await self._handle(message, descriptors)
        except (EOFError, OSError):
            return
        finally:
            await self._close()

    async def _prepare(self) -> None:
        try:
            await asyncio.to_thread(self._spool.prepare)
        except QGuardError as error:
            _log.error("nothing can be asked from outside of kernels: %s", error)

    async def _handle(self, message: control.ToGateway, descriptors: list[int]) -> None:
        if isinstance(message, control.OpenDoors):
            await self._open_doors(message, descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        if isinstance(message, control.Recall):
            self._recalled.setdefault(message.kernel, NameTable()).recall(message.names)
        elif isinstance(message, control.CloseDoors):
            doors = self._kernels.pop(message.kernel, None)
            self._start(self._close_doors(message, doors))
        elif isinstance(message, control.RecordStart):
            self._start(self._record(message.request, self._means.recorder.started(message)))
        elif isinstance(message, control.RecordFailure):
            self._start(self._record(message.request, self._means.recorder.failed(message)))
        else:
            text = "a gateway is welcomed once"
            raise InputError(text)

    async def _open_doors(self, message: control.OpenDoors, descriptors: list[int]) -> None:
        try:
            known, shared = message.kernel in self._kernels, bool(message.credential)
            taken = take_doors(message.doors, descriptors, known=known, shared=shared)
        except (InputError, OSError) as error:
            await self._means.line.send(control.Failed(request=message.request, reason=str(error)))
            return
        names = self._recalled.pop(message.kernel, None) or NameTable()
        authority = self._authority(message.authority)
        who = Who(message.kernel, message.notebook)
        kernel = Kernel(who, message.tier, names, self._means, credential=message.credential, authority=authority)
        doors = self._kernels[message.kernel] = Doors(kernel, taken)
        doors.open()
        if authority is not None and not message.authority:
            await self._means.line.send(control.Vouched(kernel=message.kernel, authority=authority.dump()))
        await self._means.line.send(control.Done(request=message.request))

    def _authority(self, kept: str) -> Authority | None:
        """Whom a kernel trusts: what a gateway before this one made for it, else a new one for what is brokered now."""
        if kept:
            return Authority.load(kept)
        hosts = self._means.rulings.brokered
        return Authority.make(hosts) if hosts else None

    async def _close_doors(self, message: control.CloseDoors, doors: Doors | None) -> None:
        if doors is not None:
            await doors.close()
            await self._lender.forget(Who(message.kernel))
            await self._means.recorder.forget(Who(message.kernel))
        await self._means.line.send(control.Done(request=message.request))

    async def _record(self, request: int, record: Coroutine[None, None, None]) -> None:
        try:
            await record
        except AuditUnavailableError as error:
            await self._means.line.send(control.Failed(request=request, reason=str(error)))
        else:
            await self._means.line.send(control.Done(request=request))

    async def _watch_policy(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                changed = await loop.run_in_executor(None, self._live.refresh)
                if changed or today() != self._means.rulings.day:
                    await self._take_over(announce=changed)
                await self._desk.look()
            except Exception as error:  # noqa: BLE001 - the last good policy stays in force, whatever this was
                _log.error("the policy, or what people ask for, cannot be looked at: %s", type(error).__name__)

    async def _take_over(self, *, announce: bool) -> None:
        loaded = self._live.current
        rulings = self._means.rulings = Rulings(loaded, self._person, today())
        for doors in self._kernels.values():
            doors.review()
        await self._lender.review(list(self._kernels))
        if announce:
            await self._means.recorder.policy_loaded(loaded)
            await self._means.line.send(control.PolicyChanged(notices=_short(loaded.notices), ports=rulings.ports))

    async def _write_counts(self) -> None:
        while True:
            await asyncio.sleep(_COUNT_SECONDS)
            await self._means.recorder.open()
            await self._means.recorder.write_counts()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and not isinstance(task.exception(), (OSError, type(None))):
            _log.error("a part of the gateway failed: %s", type(task.exception()).__name__)

    async def _close(self) -> None:
        for task in list(self._work):
            task.cancel()
        for doors in self._kernels.values():
            with contextlib.suppress(OSError):
                await doors.close()
        self._means.resolver.close()
        await self._lender.close()
        await self._means.recorder.close()
