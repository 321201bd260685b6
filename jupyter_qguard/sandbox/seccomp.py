"""The system calls of a kernel: a classic BPF program for ``bwrap --seccomp``, made here so that tests can read it.

The program refuses with EPERM; what would break a program that means no harm says ENOSYS, so that it falls back as on
an older Linux. A call newer than this table is unknown and says ENOSYS too: a newer Linux opens no new way out.

Every argument looked at below is 32 bits wide in Linux (``int``, ``unsigned int``, or the low half of the flags of
``clone``), and Linux drops the upper half of the register. So does the program: comparing all 64 bits would let
``TIOCSTI | 1 << 32`` pass as another request.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from jupyter_qguard.sandbox.errors import MachineError

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand: ``struct sock_filter``."""

ALLOW, KILL_PROCESS, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38

LAST_KNOWN = 469
"""``file_setattr`` of Linux 6.17: the newest call that this table was read for."""
X32_BIT = 0x40000000
"""Calls of the x32 ABI come under the architecture of x86-64 with this bit, and numbers of their own."""
NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. CLONE_NEWTIME is no flag of ``clone``."""
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_DGRAM, SOCK_TYPE_MASK = 1, 2, 0xF
IPPROTO_TCP, IPPROTO_UDP, NETLINK_ROUTE = 6, 17, 0
TERMINAL_REQUESTS = (0x5412, 0x541C, 0x5423)
"""TIOCSTI and TIOCLINUX type into the terminal that the server was started from; TIOCSETD loads line disciplines."""

REFUSED: dict[str, str] = {
    "looks into another process or takes its descriptors": (
        "ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, pidfd_getfd 438 438, kcmp 312 272, "
        "process_madvise 440 440"
    ),
    "does what other calls do where this program cannot see it": (
        "io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427"
    ),
    "leaves or makes namespaces": "unshare 272 97, setns 308 268",
    "changes what is mounted, and so what is hidden or read-only": (
        "mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428 428, move_mount 429 429, "
        "fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442, "
        "open_tree_attr 467 467"
    ),
    "opens files past the paths that the mounts protect": "open_by_handle_at 304 265",
    "reads the keyrings of the user, which no namespace parts": "add_key 248 217, request_key 249 218, keyctl 250 219",
    "gives code to Linux, or watches it": (
        "bpf 321 280, perf_event_open 298 241, kexec_load 246 104, kexec_file_load 320 294, init_module 175 105, "
        "finit_module 313 273, delete_module 176 106, create_module 174 -, get_kernel_syms 177 -, query_module 178 -, "
        "syslog 103 116, lookup_dcookie 212 18"
    ),
    "is for exploits rather than for notebooks": (
        "userfaultfd 323 282, modify_ldt 154 -, uselib 134 -, fanotify_init 300 262, nfsservctl 180 42"
    ),
    "governs the machine": (
        "reboot 169 142, swapon 167 224, swapoff 168 225, acct 163 89, quotactl 179 60, quotactl_fd 443 443, "
        "settimeofday 164 170, clock_settime 227 112, sethostname 170 161, setdomainname 171 162, vhangup 153 58, "
        "iopl 172 -, ioperm 173 -"
    ),
}
"""Refused whatever their arguments, by reason: name, number on x86-64, number on AArch64 (``-`` where it has none)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the program must know of a processor architecture."""

    architecture: int
    """``AUDIT_ARCH_*``: 64 bits, little endian, and the ELF number."""
    column: int
    """Its column in :data:`REFUSED`, from 1."""
    clone: int
    socket: int
    socketpair: int
    ioctl: int
    clone3: int = 435
    has_x32: bool = False


MACHINES = {
    "x86_64": Machine(0xC000003E, 1, clone=56, socket=41, socketpair=53, ioctl=16, has_x32=True),
    "aarch64": Machine(0xC00000B7, 2, clone=220, socket=198, socketpair=199, ioctl=29),
}


def filter_program(machine: str) -> bytes:
    """The program for a *machine* as ``os.uname().machine`` names it, as bytes of ``struct sock_filter``.

    Raises :class:`MachineError` for a machine without a table: without the program nothing is confined.
    """
    known = MACHINES.get(machine)
    if known is None:
        raise MachineError(f"no kernel can be confined on this processor; supported: {', '.join(MACHINES)}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _program(known))


def refused_numbers(machine: Machine) -> dict[str, int]:
    """The calls of :data:`REFUSED` that *machine* has, with their numbers."""
    rows = [entry.split() for group in REFUSED.values() for entry in group.split(", ")]
    return {row[0]: int(row[machine.column]) for row in rows if row[machine.column] != "-"}


def _program(machine: Machine) -> list[Instruction]:
    x32 = [_jump_if_at_least(X32_BIT, 0, 1), _verdict(REFUSE | EPERM)] if machine.has_x32 else []
    return [
        # Another architecture has other numbers, and no program of a notebook's machine needs one.
        _load(4),
        *_only((machine.architecture,), KILL_PROCESS),
        _load(0),
        *x32,
        _jump_if_above(LAST_KNOWN, 0, 1),
        _verdict(REFUSE | ENOSYS),
        *_none_of(tuple(refused_numbers(machine).values())),
        # The flags of clone3 lie in memory, out of reach; without it the C library calls clone.
        *_where(machine.clone3, [_verdict(REFUSE | ENOSYS)]),
        *_where(machine.clone, [_argument(0), _jump_if_any(NEW_NAMESPACE, 0, 1), _verdict(REFUSE | EPERM), _PASS]),
        *_where(machine.socket, _socket()),
        *_where(machine.socketpair, [_argument(0), *_only((AF_UNIX,)), _PASS]),
        *_where(machine.ioctl, [_argument(1), *_none_of(TERMINAL_REQUESTS), _PASS]),
        _PASS,
    ]


def _socket() -> list[Instruction]:
    """Unix sockets, TCP, UDP, and the routes of the own network. AF_VSOCK and others know no network namespace."""
    return [
        _argument(0),
        *_where(AF_UNIX, [_PASS]),
        *_where(AF_NETLINK, [_argument(2), *_only((NETLINK_ROUTE,)), _PASS]),
        *_only((AF_INET, AF_INET6)),
        _argument(1),
        (0x54, 0, 0, SOCK_TYPE_MASK),  # and: the flags SOCK_CLOEXEC and SOCK_NONBLOCK stand above it
        *_only((SOCK_STREAM, SOCK_DGRAM)),
        _argument(2),
        *_only((0, IPPROTO_TCP, IPPROTO_UDP)),
        _PASS,
    ]


def _load(offset: int) -> Instruction:
    """Load 32 bits of ``struct seccomp_data``: the number at 0, the architecture at 4, the arguments from 16."""
    return 0x20, 0, 0, offset


def _argument(index: int) -> Instruction:
    return _load(16 + 8 * index)


def _jump_if_equal(value: int, yes: int, no: int) -> Instruction:
    return 0x15, yes, no, value


def _jump_if_above(value: int, yes: int, no: int) -> Instruction:
    return 0x25, yes, no, value


def _jump_if_at_least(value: int, yes: int, no: int) -> Instruction:
    return 0x35, yes, no, value


def _jump_if_any(bits: int, yes: int, no: int) -> Instruction:
    return 0x45, yes, no, bits


def _verdict(value: int) -> Instruction:
    return 0x06, 0, 0, value


_PASS = _verdict(ALLOW)


def _where(value: int, block: list[Instruction]) -> list[Instruction]:
    """*block* is run if *value* is loaded; it must end with a verdict."""
    return [_jump_if_equal(value, 0, len(block)), *block]


def _only(values: tuple[int, ...], otherwise: int = REFUSE | EPERM) -> list[Instruction]:
    """Go on if one of *values* is loaded."""
    count = len(values)
    return [*(_jump_if_equal(value, count - at, 0) for at, value in enumerate(values)), _verdict(otherwise)]


def _none_of(values: tuple[int, ...]) -> list[Instruction]:
    """Go on if none of *values* is loaded. A jump reaches over 255 instructions, and so many values at most."""
    count = len(values)
    jumps = [_jump_if_equal(value, count - at, 0) for at, value in enumerate(values)]
    return [*jumps, (0x05, 0, 0, 1), _verdict(REFUSE | EPERM)]
