"""The listeners of one kernel: who connects to which, and how many at once. Two of them answer questions for names."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.names import MAX_QUESTION, answer_question
from jupyter_qguard.egress.waiting import Deadline
from jupyter_qguard.errors import InputError
from jupyter_qguard.gateway.answers import answer
from jupyter_qguard.gateway.control import Door, DoorKind, Learned
from jupyter_qguard.gateway.conversation import Conversation
from jupyter_qguard.gateway.limits import Bucket
from jupyter_qguard.policy.egress import EgressAction

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from jupyter_qguard.gateway.kernel import Kernel
    from jupyter_qguard.policy.egress import EgressVerdict
    from jupyter_qguard.policy.host import Host

_ASK_WHO = {DoorKind.PROXY, DoorKind.CONTROL}
"""Where others reach the listeners: a proxy asks for the password, and the control channel is nobody else's."""
_NO_STREAMS = {DoorKind.NAMES, DoorKind.CONTROL}
_IN_A_TURN = 16
"""Taken from one listener before other kernels have their turn."""
_EXHAUSTED_SECONDS = 0.2
"""Until the next try where the machine has no descriptor left."""
_UNANSWERED = "no name that can be given an address, or too many of them"


def take_doors(
    doors: Sequence[Door], descriptors: Sequence[int], *, known: bool, shared: bool = False
) -> list[tuple[Door, socket.socket]]:
    """The listeners behind *descriptors*, which are closed if this raises.

    Raises
    ------
    InputError
        They are not what *doors* says, the kernel is *known* and has its listeners, or others reach them too
        (*shared*) and they are of a kind at which nobody can show a password.
    """
    taken: list[socket.socket] = []
    left = list(descriptors)
    try:
        while left:
            taken.append(socket.socket(fileno=left[0]))
            del left[0]
        if known:
            _reject("the listeners of this kernel are open already")
        if len(taken) != len(doors):
            _reject()
        if shared and any(door.kind not in _ASK_WHO for door in doors):
            _reject("only a proxy can ask who its client is")
        for door, listener in zip(doors, taken, strict=True):
            listener.setblocking(False)
            if not _is(door.kind, listener):
                _reject()
    except BaseException:
        for listener in taken:
            listener.close()
        for descriptor in left:
            os.close(descriptor)
        raise
    return list(zip(doors, taken, strict=True))


def _is(kind: DoorKind, taken: socket.socket) -> bool:
    """Whether *taken* can be what *kind* says."""
    if kind is DoorKind.CONTROL:
        return taken.family == socket.AF_UNIX and taken.type == socket.SOCK_SEQPACKET
    datagrams = taken.type == socket.SOCK_DGRAM
    listens = not datagrams and taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    internet = taken.family in {socket.AF_INET, socket.AF_INET6}
    return internet and bool(datagrams if kind is DoorKind.NAMES else listens)


def _reject(text: str = "the descriptors are not the listeners that the message names") -> NoReturn:
    raise InputError(text)


class Doors:
    """Serves the listeners of *kernel* until closed."""

    def __init__(self, kernel: Kernel, doors: list[tuple[Door, socket.socket]]) -> None:
        self.kernel = kernel
        self._loop = asyncio.get_running_loop()
        self._listeners = [(each, door.kind) for door, each in doors if door.kind not in _NO_STREAMS]
        self._questions = [each for door, each in doors if door.kind is DoorKind.NAMES]
        self._channels = [each for door, each in doors if door.kind is DoorKind.CONTROL]
        kernel.ports = {door.port for door, _ in doors if door.kind is DoorKind.DIRECT}
        now = self._loop.time()
        self._opening = Bucket(kernel.limits.opened_per_second, now)
        self._asking = Bucket(kernel.limits.questions_per_second, now)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = self._closed = False

    def open(self) -> None:
        """Begin to serve."""
        self._listen()
        self._hear()
        for each in self._channels:
            rate = self.kernel.limits.asked_per_second
            self.kernel.conversation = Conversation(each, rate, partial(answer, self.kernel))
            self._start(self.kernel.conversation.run())

    async def close(self) -> None:
        """Close the listeners and every connection."""
        self._closed = True
        self._pause()
        for each in self._questions:
            self._loop.remove_reader(each.fileno())
        for each in (*(listener for listener, _ in self._listeners), *self._questions):
            each.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.kernel.conversation = None
        for each in self._channels:  # not before: who waits for one of them takes it from the loop by its number
            each.close()
        await self.kernel.close()

    def review(self) -> None:
        """Another policy is in force."""
        self.kernel.review()

    def _listen(self) -> None:
        if not self._closed and not self._listening:
            self._listening = True
            for listener, kind in self._listeners:
                self._loop.add_reader(listener.fileno(), self._accept, listener, kind)

    def _pause(self) -> None:
        self._listening = False
        for listener, _ in self._listeners:
            self._loop.remove_reader(listener.fileno())

    def _accept(self, listener: socket.socket, kind: DoorKind) -> None:
        for _ in range(_IN_A_TURN):
            if self.kernel.unfinished >= self.kernel.limits.unfinished:
                self._pause()  # until one of them is finished
                return
            if not self._opening.take(self._loop.time()):
                self._pause()
                self._loop.call_later(self._opening.seconds, self._listen)
                return
            try:
                client, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._pause()
                self._loop.call_later(_EXHAUSTED_SECONDS, self._listen)
                return
            if kind is DoorKind.NAMES_STREAM:
                self.kernel.unfinished += 1
                self._start(self._stream(client), self._stream_over)
            else:
                self.kernel.serve(client, kind, self._listen)

    def _start(self, work: Coroutine[None, None, None], over: Callable[[], None] = lambda: None) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            over()

        task.add_done_callback(done)

    def _stream_over(self) -> None:
        self.kernel.unfinished -= 1
        self._listen()

    async def _stream(self, client: socket.socket) -> None:
        """Questions over TCP, each after its length in two bytes (RFC 1035, section 4.2.2)."""
        client.setblocking(False)
        limit = self.kernel.limits.first_words_seconds
        received = b""
        with client, contextlib.suppress(OSError, WireError):
            for _ in range(self.kernel.limits.questions_per_stream):
                while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
                    if len(received) >= 2 and int.from_bytes(received[:2], "big") > MAX_QUESTION:
                        return
                    with Deadline(limit):
                        more = await self._loop.sock_recv(client, MAX_QUESTION)
                    if not more:
                        return
                    received += more
                end = 2 + int.from_bytes(received[:2], "big")
                message = await self._answer(received[2:end])
                received = received[end:]
                with Deadline(limit):
                    await self._loop.sock_sendall(client, len(message).to_bytes(2, "big") + message)

    def _hear(self) -> None:
        for each in self._questions:
            if not self._closed:
                self._loop.add_reader(each.fileno(), self._asked, each)

    def _asked(self, door: socket.socket) -> None:
        for _ in range(_IN_A_TURN):
            if not self._asking.take(self._loop.time()):
                self._loop.remove_reader(door.fileno())
                self._loop.call_later(self._asking.seconds, self._hear)
                return
            try:
                message, peer = door.recvfrom(MAX_QUESTION + 1)
            except OSError:
                return
            self._start(self._reply(door, message, peer))

    async def _reply(self, door: socket.socket, message: bytes, peer: tuple[Any, ...]) -> None:
        # Whoever asked may have gone, or the owner: then nobody needs the answer.
        with contextlib.suppress(OSError, WireError):
            door.sendto(await self._answer(message), peer)

    async def _answer(self, message: bytes) -> bytes:
        """The answer to a question. The owner has a new name before the kernel has its address."""
        verdicts: list[EgressVerdict] = []

        def allowed(host: Host) -> bool:
            verdicts.append(self.kernel.name(host))
            return verdicts[-1].action is EgressAction.ALLOW

        answer = answer_question(message, self.kernel.table, allowed)
        if answer.refused:
            refused = verdicts and verdicts[-1].action is EgressAction.REFUSE
            reason, rule = (verdicts[-1].reason, verdicts[-1].rule) if refused else (_UNANSWERED, "")
            self.kernel.note(answer.refused, 0, reason, rule)
        if answer.learned:
            await self.kernel.means.line.send(Learned(kernel=self.kernel.who.kernel, name=answer.learned))
        return answer.message
