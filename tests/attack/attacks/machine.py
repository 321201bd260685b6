"""Machine code that the C library would not emit: other entries to the kernel, and programs made on the spot."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import struct

_LOW = 0x40  # MAP_32BIT: addresses that fit into the registers of a 32 bit call
_ANONYMOUS_PRIVATE = 0x22


class NotHere(Exception):  # noqa: N818
    """This processor has no such entry."""


def need_x86() -> None:
    """Only that processor has calls of other widths."""
    if platform.machine() != "x86_64":
        raise NotHere(platform.machine())


def page(code: bytes) -> int:
    """Address below 4 GiB of a page that holds *code* and may be run."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_uint64
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    address: int = libc.mmap(None, 4096, rights, _ANONYMOUS_PRIVATE | _LOW, -1, 0)
    if address == (1 << 64) - 1:
        raise OSError(ctypes.get_errno(), "no page that may be written and run")
    ctypes.memmove(address, code, len(code))
    return address


def call32(number: int, *arguments: int) -> int:
    """A system call of i386 by ``int 0x80``; what it gave, negative for an error."""
    need_x86()
    words = [number, *arguments, *[0] * (4 - len(arguments))]
    code = b"\x53"  # push rbx
    for opcode, word in zip((0xB8, 0xBB, 0xB9, 0xBA), words, strict=False):  # eax ebx ecx edx
        code += bytes((opcode,)) + struct.pack("<I", word & 0xFFFFFFFF)
    if len(words) > 4:
        code += b"\xbe" + struct.pack("<I", words[4])  # esi
    code += b"\xcd\x80\x5b\xc3"  # int 0x80; pop rbx; ret
    return ctypes.CFUNCTYPE(ctypes.c_int)(page(code))()


def low(data: bytes) -> int:
    """*data* where 32 bit calls can read it."""
    return page(data)


def raw(number: int, *arguments: object) -> int:
    """A system call by its number; negative error number if it failed."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    ctypes.set_errno(0)
    converted = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *converted)
    return -ctypes.get_errno() if result == -1 else result


def program(address: str, port: int) -> int:
    """A program without any library, in memory only, that connects and ends; its descriptor."""
    need_x86()
    where = struct.pack("<H", 2) + struct.pack(">H", port) + bytes(int(part) for part in address.split(".")) + bytes(8)
    code = (
        b"\xb8\x29\x00\x00\x00\xbf\x02\x00\x00\x00\xbe\x01\x00\x00\x00\x31\xd2\x0f\x05"  # socket(AF_INET, STREAM, 0)
        b"\x89\xc7\x48\x8d\x35\x15\x00\x00\x00\xba\x10\x00\x00\x00\xb8\x2a\x00\x00\x00\x0f\x05"  # connect(fd, where, 16)
        b"\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05"  # exit(0)
    )
    # `lea rsi, [rip+N]`: from the end of that instruction to the end of the code.
    at = 19 + 2 + 7
    code = code.replace(b"\x15\x00\x00\x00\xba", struct.pack("<I", len(code) - at) + b"\xba")
    body, start = code + where, 0x400000
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, start + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", 1, 5, 0, start, start, 120 + len(body), 120 + len(body), 4096)
    end = os.memfd_create("program")
    os.write(end, head + body)
    return end
