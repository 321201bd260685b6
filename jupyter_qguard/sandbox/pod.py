"""First program of a kernel where no namespaces are to be had: ``python -I -S pod.py FD PROGRAM…``.

Takes from itself what Linux lets an ordinary process take (privileges, system calls, writing outside of the kernel's
folders, the user's other processes), tries the direct ways out, reports, and executes ``PROGRAM``, the probe, which goes
on reporting over the same end of a socket pair. Standard library only, and of that the small modules (see ``stub.py``).
``held NAME`` is a line of the report, ``broken NAME: WHAT``, where something was not taken, and ``fails NAME: WHAT``, where
the network is not what the tier needs.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import marshal
import os
import select
import struct
import sys
import time

# `typing` would cost 5 ms; the annotations are never evaluated.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
SECCOMP_MODE_FILTER, SIGKILL = 2, 9
CAPSET = {"x86_64": 126, "aarch64": 91}
CAPABILITIES_VERSION = 0x20080522
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
"""The same numbers on every processor."""
FILE_RIGHTS, FOLDER_RIGHTS = 0x4002, 0x3FF0
"""Of Landlock: write and truncate a file; remove, make each kind of entry, and move between folders."""
RIGHTS_SINCE = ((3, 0x4000), (2, 0x2000))
"""Version of Landlock that brought a right: truncate, move."""
SCOPES, SCOPES_SINCE, NETWORK_SINCE = 3, 6, 4
"""Abstract sockets and signals stay among the processes of the kernel."""

SILENCE = 1.0
"""Seconds after which a direct way counts as closed, for all together: many networks drop what they refuse."""
PATIENCE = 5.0
"""Seconds for a proxy's answer, which must come."""
OWN_PROXY = {"proxy": b"204", "proxy_without_password": b"407"}
"""What the kernel's own proxy must say to a client that shows the password, and to one that does not."""
_ANSWER = 4096
_NO_SUCH_NAME, _REFUSED = 3, 5
_NOT_MEANT = {b"408", b"429"}
"""Of the answers 4xx those that say nothing about what was asked for."""


def main() -> None:
    """Do all of it; never returns."""
    number, *program = sys.argv[1:]
    link = _socket.socket(fileno=int(number))
    orders = marshal.loads(_exactly(link, int(_line(link))))  # noqa: S302 - from the provisioner, before any kernel
    link.sendall(b"begin\n")
    results = {"broken": confinement(orders["filter"], orders["writable"]), "fails": ways_out(orders["ways"])}
    for word, group in results.items():
        for name, what in group:
            line = f"{word} {name}: {what}" if what else f"held {name}"
            link.sendall(line.replace("\n", " ").encode(errors="backslashreplace") + b"\n")
    os.set_inheritable(link.fileno(), True)
    os.execv(program[0], program)  # noqa: S606 - words of the provisioner, and there is no shell


def _exactly(link: _socket.socket, size: int) -> bytes:
    """No byte more: what follows is for the probe."""
    received = b""
    while len(received) < size:
        more = link.recv(size - len(received))
        if not more:
            raise SystemExit(0)  # whoever started this is gone
        received += more
    return received


def _line(link: _socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += _exactly(link, 1)
    return line


def confinement(program: bytes, writable: list[tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    """Confine this process; what of it is not proved by the probe."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # not an ordinary user's to do, and without them nothing to do
    header = struct.pack("Ii", CAPABILITIES_VERSION, 0)
    libc.syscall(CAPSET.get(os.uname().machine, -1), header, bytes(24))
    child, keep = _process_outside()
    version = max(0, libc.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))
    if version:
        problem = _confine_files(libc, version, writable)
        yield "files_and_processes", problem or _file_outside() or _looked_into(child)
    if version >= SCOPES_SINCE:
        yield "signals", _signalled(child)
    os.close(keep)
    os.waitpid(child, 0)
    room = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(room))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0) != 0:
        yield "filter", os.strerror(ctypes.get_errno())


def _process_outside() -> tuple[int, int]:
    """A process that is not confined, and what keeps it: it ends when that is closed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    return child, writer


def _confine_files(libc: ctypes.CDLL, version: int, writable: list[tuple[str, bool]]) -> str:
    """Have Linux refuse to write anywhere but below *writable*, for good; what went wrong.

    Each with whether entries may be made there too. With the rules come the processes: one that is not confined by the
    same ones cannot be looked into, whatever its user.
    """
    handled = FILE_RIGHTS | FOLDER_RIGHTS
    for since, right in RIGHTS_SINCE:
        handled &= ~0 if version >= since else ~right
    sizes = 24 if version >= SCOPES_SINCE else 16 if version >= NETWORK_SINCE else 8
    attributes = struct.pack("QQQ", handled, 0, SCOPES)[:sizes]
    rules = libc.syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(sizes), 0)
    if rules < 0:
        return os.strerror(ctypes.get_errno())
    try:
        for path, entries in writable:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # what is gone cannot be written either
            rights = FILE_RIGHTS | (FOLDER_RIGHTS if entries else 0)
            added = libc.syscall(LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights & handled, place), 0)
            os.close(place)
            if added != 0:
                return os.strerror(ctypes.get_errno())
        done = libc.syscall(LANDLOCK_RESTRICT, rules, 0)
        return "" if done == 0 else os.strerror(ctypes.get_errno())
    finally:
        os.close(rules)


def _file_outside() -> str:
    """Whether a file can be written that every process can write, and that lies in no folder of a kernel."""
    try:
        os.close(os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC))
    except OSError:
        return ""
    return "files outside of the kernel's folders can be written"


def _looked_into(child: int) -> str:
    try:
        os.close(os.open(f"/proc/{child}/environ", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return ""
    return "another process of the user can be looked into"


def _signalled(child: int) -> str:
    try:
        os.kill(child, 0)
    except OSError:
        return ""
    return "another process of the user can be signalled"


class Way:
    """One attempt: to connect, or to say something and be answered."""

    def __init__(self, purpose: str, host: str, port: int, words: bytes) -> None:
        # The kernel's own proxy has another port at every start.
        self.purpose, self.name = purpose, purpose if purpose in OWN_PROXY else f"{purpose} {host}:{port}"
        self.words, self.connected, self.answer = words, False, b""
        self.end: _socket.socket | None = None
        datagrams = purpose == "names"
        family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
        try:
            self.end = _socket.socket(family, _socket.SOCK_DGRAM if datagrams else _socket.SOCK_STREAM)
            self.end.setblocking(False)
            if self.end.connect_ex((host, port)) not in {0, errno.EINPROGRESS}:
                self.close()
        except OSError:
            self.close()

    def close(self) -> None:
        """Be done with it."""
        if self.end is not None:
            self.end.close()
            self.end = None

    def go_on(self, *, readable: bool) -> None:
        """Something has happened."""
        assert self.end is not None  # noqa: S101 - only these are waited for
        try:
            if not self.connected:
                self.connected = self.end.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR) == 0
                if self.connected and self.words:
                    self.end.send(self.words)
                    return
            elif readable:
                self.answer = self.end.recv(_ANSWER)
        except OSError:
            pass
        self.close()

    def problem(self) -> str:
        """What is wrong with what came of it."""
        status = self.answer[9:12] if self.answer.startswith(b"HTTP/1.") else b""
        said = status.decode("ascii", "replace") or "nothing"
        if self.purpose == "names":
            closed = not self.answer or (self.answer[3:4] and self.answer[3] & 15 in {_NO_SUCH_NAME, _REFUSED})
            return "" if closed else "answers a question for a name outside"
        if self.purpose == "platform_proxy":
            if not self.connected:
                return "cannot be reached"
            refused = status.startswith(b"4") and status not in _NOT_MEANT
            return "" if refused else f"does not refuse a host that the policy does not name (it answers {said})"
        if self.purpose in OWN_PROXY:
            return "" if status == OWN_PROXY[self.purpose] else f"answers {said}"
        return "connected" if self.connected else ""


def ways_out(told: list[tuple[str, str, int, bytes]]) -> Iterator[tuple[str, str]]:
    """Try all at once; name and result of each."""
    ways = [Way(*each) for each in told]
    waiting, begun = select.poll(), time.monotonic()
    while True:
        open_ones = {way.end.fileno(): way for way in ways if way.end is not None}
        answers = any("proxy" in way.purpose for way in open_ones.values())
        left = begun + (PATIENCE if answers else SILENCE) - time.monotonic()
        if not open_ones or left <= 0:
            break
        waiting = select.poll()
        for number, way in open_ones.items():
            waiting.register(number, select.POLLIN if way.connected else select.POLLOUT)
        for number, events in waiting.poll(left * 1000):
            open_ones[number].go_on(readable=bool(events & (select.POLLIN | select.POLLHUP | select.POLLERR)))
    for way in ways:
        way.close()
        yield way.name, way.problem()


if __name__ == "__main__":
    main()
