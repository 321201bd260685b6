"""Processes outside: their memory, variables, descriptors and lives."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from contextlib import suppress

from .base import Judge, Target, attack, each
from .machine import raw

_ARM = platform.machine() == "aarch64"
_PTRACE, _READV = (117, 270) if _ARM else (101, 310)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(path: str) -> bytes:
    with suppress(OSError), open(path, "rb") as file:
        return file.read(200_000)
    return b""


@attack(Judge.SECRET, "variables of every process in /proc", secret="environ")
def environ(_: Target) -> bytes:
    return b"".join(part for pid in _pids() for part in _read(f"/proc/{pid}/environ").split(b"\0") if b"DECOY" in part)


@attack(Judge.SECRET, "variables of the server, all the parents up", secret="server")
def server_environ(target: Target) -> bytes:
    found, pid = _read(f"/proc/{target.world.server}/environ"), os.getppid()
    while pid > 1:
        found += _read(f"/proc/{pid}/environ")
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if fields else 0
    return b"".join(part for part in found.split(b"\0") if b"SERVER_SECRET" in part)


@attack(Judge.SECRET, "variables that the kernel inherited from the server", secret="inherited")
def inherited(_: Target) -> str:
    return repr(
        {name: value for name, value in os.environ.items() if "TOKEN" in name or "SECRET" in name or "KEY" in name}
    )


@attack(Judge.SECRET, "memory of a process by /proc", secret="memory")
def memory(target: Target) -> bytes:
    with open(f"/proc/{target.world.decoy}/maps", encoding="utf-8") as lines:
        start, end = next(line.split()[0].split("-") for line in lines if "[heap]" in line)
    with open(f"/proc/{target.world.decoy}/mem", "rb") as file:
        file.seek(int(start, 16))
        data = file.read(int(end, 16) - int(start, 16))
    at = data.find(b"decoy-memory-")
    return data[at : at + 100]


@attack(Judge.SECRET, "memory of a process by process_vm_readv", secret="memory")
def vm_readv(target: Target) -> bytes:
    with open(f"/proc/{target.world.decoy}/maps", encoding="utf-8") as lines:
        start, end = next(line.split()[0].split("-") for line in lines if "[heap]" in line)
    size = int(end, 16) - int(start, 16)
    room = ctypes.create_string_buffer(size)
    ours = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(room), size))
    theirs = ctypes.create_string_buffer(struct.pack("=QQ", int(start, 16), size))
    got = raw(_READV, target.world.decoy, ours, 1, theirs, 1, 0)
    at = room.raw.find(b"decoy-memory-")
    return room.raw[at : at + 100] if at >= 0 else f"errno {-got}".encode()


@attack(Judge.SECRET, "open files of every process", secret="descriptor")
def files(_: Target) -> bytes:
    found = b""
    for pid in _pids():
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                path = f"/proc/{pid}/fd/{name}"
                with suppress(OSError):
                    if "decoy" in os.readlink(path):
                        found += _read(path)[:200]
    return found


@attack(Judge.SECRET, "a descriptor taken by pidfd_getfd", secret="descriptor")
def getfd(target: Target) -> bytes:
    end = raw(434, target.world.decoy, 0)
    if end < 0:
        return f"pidfd_open: errno {-end}".encode()
    for number in range(3, 40):
        taken = raw(438, end, number, 0)
        if taken >= 0:
            with suppress(OSError):
                data = os.pread(taken, 200, 0)
                if data:
                    return data
    return f"errno {-taken}".encode()


@attack(Judge.SECRET, "working folder of every process", secret="folder")
def folders(_: Target) -> bytes:
    return b"".join(_read(f"/proc/{pid}/cwd/decoy.txt") for pid in _pids())


@attack(Judge.SECRET, "root folder of every process", secret="ssh")
def roots(target: Target) -> bytes:
    return b"".join(_read(f"/proc/{pid}/root{target.world.home}/.ssh/id_ed25519")[:200] for pid in _pids())


@attack(Judge.SECRET, "command line of a process", secret="command")
def command(target: Target) -> bytes:
    return _read(f"/proc/{target.world.decoy}/cmdline")


@attack(Judge.SURFACE, "ptrace: seize a process outside")
def ptrace(target: Target) -> str:
    result = raw(_PTRACE, 0x4206, target.world.decoy, 0, 0)
    if result == 0:
        raw(_PTRACE, 17, target.world.decoy, 0, 0)
    return f"errno {-result}"


SIGNALS = {"kill": 40, "pidfd": 41, "tgkill": 42, "queue": 43, "limit": 0}
"""The decoy tells the judge which of these it got."""
_WAYS: dict[str, object] = {
    "kill": "kill",
    "pidfd": "pidfd",
    "a thread's signal": "tgkill",
    "queue": "queue",
    "limit of processor time": "limit",
}


@each(Judge.HARMED, "harm a process outside by", _WAYS)
def harm(target: Target, case: object) -> str:
    decoy, sign = target.world.decoy, SIGNALS[str(case)]
    if case == "kill":
        os.kill(decoy, sign)
        return "sent"
    if case == "pidfd":
        return str(raw(424, raw(434, decoy, 0), sign, 0, 0))
    if case == "tgkill":
        return str(raw(131 if _ARM else 234, decoy, decoy, sign))
    if case == "queue":
        information = ctypes.create_string_buffer(struct.pack("=iii", sign, 0, -1), 128)
        return str(raw(138 if _ARM else 129, decoy, sign, information))
    resource.prlimit(decoy, resource.RLIMIT_CORE, (0, 0))
    return "set"


@attack(Judge.SECRET, "System V shared memory", secret="segment")
def segment(target: Target) -> bytes:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(target.world.segment, None, 0o10000)
    if address in (None, (1 << 64) - 1):
        return f"errno {ctypes.get_errno()}".encode()
    return ctypes.string_at(address, 100)


@attack(Judge.SECRET, "System V message queue", secret="queue")
def queue(target: Target) -> bytes:
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(300)
    got = libc.msgrcv(target.world.queue, room, 290, 0, 0o4000 | 0o40000)  # MSG_NOWAIT, MSG_COPY
    return room.raw if got >= 0 else f"errno {ctypes.get_errno()}".encode()


@attack(Judge.SECRET, "POSIX shared memory", secret="shm")
def shared(_: Target) -> bytes:
    return b"".join(_read(f"/dev/shm/{name}") for name in os.listdir("/dev/shm") if name.startswith("qg-arena"))


@attack(Judge.SECRET, "key ring of the session", secret="keyring")
def key_ring(_: Target) -> bytes:
    search, read = (219, 219) if _ARM else (250, 250)
    room = ctypes.create_string_buffer(200)
    for ring in (-3, -4, -5):
        found = raw(search, 10, ring, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"qg-arena"), 0)
        if found > 0 and raw(read, 11, found, room, 200) > 0:
            return room.raw
    return f"errno {-found}".encode()


@attack(Judge.SECRET, "private temporary files of others", secret="tmp")
def temporary(_: Target) -> bytes:
    found = b""
    for top in ("/tmp", "/var/tmp"):
        for name in os.listdir(top):
            if name.startswith("arena-qg"):
                found += _read(f"{top}/{name}/notes.txt")
    return found
