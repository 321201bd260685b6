"""Namespaces, mounts and the parts of the kernel that have been the way out of sandboxes before.

Judged by the error number: refused out of hand is EPERM, EACCES or ENOSYS. Anything else means that the kernel began to
look at the arguments.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import pty
import struct
import termios

from .base import Judge, Target, attack, each
from .machine import raw

_ARM = platform.machine() == "aarch64"


def _number(x86: int, arm: int) -> int:
    return arm if _ARM else x86


def _said(result: int) -> str:
    return f"errno {-result if result < 0 else 0}"


_NEW = {
    "user": 0x10000000,
    "network": 0x40000000,
    "mounts": 0x20000,
    "processes": 0x20000000,
    "ipc": 0x8000000,
    "cgroup": 0x2000000,
    "time": 0x80,
}


@each(Judge.SURFACE, "unshare a namespace", dict(_NEW))
def unshare(_: Target, case: object) -> str:
    flags = int(case)  # type: ignore[call-overload]
    # With a user namespace, as whoever has no privilege would do it.
    return _said(raw(_number(272, 97), flags if flags == _NEW["user"] else flags | _NEW["user"]))


def _clone(number: int, *arguments: object) -> str:
    child = raw(number, *arguments)
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
    return _said(child)


@attack(Judge.SURFACE, "clone into a new user namespace")
def clone(_: Target) -> str:
    return _clone(_number(56, 220), _NEW["user"] | 17, 0, 0, 0, 0)


@attack(Judge.SURFACE, "clone3 into a new user namespace, where no filter sees the flags")
def clone3(_: Target) -> str:
    told = struct.pack("=8Q", _NEW["user"] | _NEW["network"], 0, 0, 0, 17, 0, 0, 0)
    return _clone(435, ctypes.create_string_buffer(told, 64), 64)


@attack(Judge.SURFACE, "setns into the network of process 1")
def setns(_: Target) -> str:
    end = os.open("/proc/1/ns/net", os.O_RDONLY)
    return _said(raw(_number(308, 268), end, _NEW["network"]))


@attack(Judge.PACKET, "setns into the network of every process that can be seen, then connect")
def setns_every(target: Target) -> str:
    import socket

    for name in filter(str.isdigit, os.listdir("/proc")):
        for kind in ("user", "net"):
            try:
                end = os.open(f"/proc/{name}/ns/{kind}", os.O_RDONLY)
            except OSError:
                continue
            raw(_number(308, 268), end, 0)
            os.close(end)
    with socket.socket() as out:
        out.settimeout(1)
        return str(out.connect_ex((target.public, 443)))


_CALLS: dict[str, object] = {
    "mount": (165, 40, b"none", b"/nothing", b"tmpfs", 0, 0),
    "bind mount": (165, 40, b"/", b"/nothing", b"", 4096, 0),
    "umount": (166, 39, b"/nothing", 0),
    "pivot_root": (155, 41, b"/", b"/"),
    "open_tree": (428, 428, -100, b"/", 1),
    "move_mount": (429, 429, -1, b"", -1, b"", 4),
    "fsopen": (430, 430, b"tmpfs", 0),
    "fspick": (433, 433, -100, b"/", 0),
    "mount_setattr": (442, 442, -100, b"/", 0, bytes(32), 32),
    "chroot": (161, 51, b"/"),
    "open_by_handle_at": (304, 265, -100, bytes(16), 0),
    "bpf": (321, 280, 0, bytes(128), 128),
    "perf_event_open": (298, 241, struct.pack("=II", 1, 112) + bytes(112), 0, -1, -1, 0),
    "userfaultfd": (323, 282, 0o2000000),
    "userfaultfd of user mode": (323, 282, 0o2000001),
    "add_key": (248, 217, b"user", b"qg", b"x", 1, -3),
    "request_key": (249, 218, b"user", b"none", b"", -3),
    "keyctl": (250, 219, 0, -3, 0),
    "kexec_load": (246, 104, 0, 0, 0, 0),
    "init_module": (175, 105, b"x", 1, b""),
    "finit_module": (313, 273, -1, b"", 0),
    "delete_module": (176, 106, b"none", 0),
    "acct": (163, 89, b"/none"),
    "swapon": (167, 224, b"/none", 0),
    "quotactl": (179, 60, 0x800007, b"/none", 0, bytes(64)),
    "syslog": (103, 116, 3, bytes(64), 64),
    "fanotify_init": (300, 262, 0, 0),
    "kcmp": (312, 272, 1, 1, 0, 0, 0),
    "process_vm_readv": (310, 270, 1, bytes(16), 1, bytes(16), 1, 0),
    "process_vm_writev": (311, 271, 1, bytes(16), 1, bytes(16), 1, 0),
    "process_madvise": (440, 440, -1, bytes(16), 1, 0, 0),
    "pidfd_getfd": (438, 438, -1, 0, 0),
    "ptrace (traceme)": (101, 117, 0, 0, 0, 0),
    "mknod of a disk": (133, -1, b"/tmp/qg-disk", 0o60600, 0x801),
}


@each(Judge.SURFACE, "call", _CALLS)
def call(_: Target, case: object) -> str:
    x86, arm, *arguments = case  # type: ignore[misc]
    if _ARM and arm < 0:
        return "errno 38"
    held = [ctypes.create_string_buffer(each + b"\0") if isinstance(each, bytes) else each for each in arguments]
    return _said(raw(_number(x86, arm), *held))


@attack(Judge.SURFACE, "ports of the processor (iopl, modify_ldt)")
def ports(_: Target) -> str:
    if _ARM:
        return "errno 38"
    both = [-raw(172, 3), -raw(154, 0, ctypes.create_string_buffer(16), 16)]
    return f"errno {0 if min(both) <= 0 else both[0]}"


_TERMINAL: dict[str, object] = {
    "TIOCSTI": termios.TIOCSTI,
    "TIOCLINUX": 0x541C,
    "TIOCSTI behind 32 bits": termios.TIOCSTI | 1 << 32,
}


@each(Judge.SURFACE, "typing into a terminal", _TERMINAL)
def terminal(_: Target, case: object) -> str:
    _, end = pty.openpty()
    return _said(raw(_number(16, 29), end, case, ctypes.create_string_buffer(b"\x03")))


_KERNEL_FILES: dict[str, object] = {
    "core_pattern": "/proc/sys/kernel/core_pattern",
    "sysrq": "/proc/sysrq-trigger",
    "unprivileged ports": "/proc/sys/net/ipv4/ip_unprivileged_port_start",
    "uevent_helper": "/sys/kernel/uevent_helper",
    "modprobe": "/proc/sys/kernel/modprobe",
    "kernel's memory": "/proc/kcore",
    "cgroup": "/sys/fs/cgroup/cgroup.procs",
}


@each(Judge.SURFACE, "open for writing", _KERNEL_FILES)
def kernel_file(_: Target, case: object) -> str:
    try:
        os.close(os.open(str(case), os.O_RDONLY if case == "/proc/kcore" else os.O_WRONLY))
    except FileNotFoundError:
        return f"errno {errno.ENOSYS}"
    except OSError as problem:
        return f"errno {problem.errno}"
    return "errno 0"


@attack(Judge.SURFACE, "to be another user")
def other_user(_: Target) -> str:
    try:
        os.setresuid(1, 1, 1)
    except OSError as problem:
        # EINVAL: this user namespace has no other user.
        return f"errno {1 if problem.errno == 22 else problem.errno}"
    return "errno 0"


@attack(Judge.SURFACE, "capabilities of any kind")
def capabilities(_: Target) -> str:
    with open("/proc/self/status", encoding="utf-8") as lines:
        sets = dict(line.split(":\t") for line in lines.read().splitlines() if line.startswith("Cap"))
    held = {name: value for name, value in sets.items() if name != "CapBnd" and int(value, 16)}
    return f"errno {0 if held else 1}: {held}"


@attack(Judge.SURFACE, "privileges by a set-user-id program (no_new_privs off)")
def new_privileges(_: Target) -> str:
    libc = ctypes.CDLL(None)
    return f"errno {1 if libc.prctl(39, 0, 0, 0, 0) == 1 else 0}"


@attack(Judge.SURFACE, "a core file where a program outside handles it")
def dumpable(_: Target) -> str:
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        piped = file.read().startswith("|")
    import resource

    return f"errno {0 if piped and resource.getrlimit(resource.RLIMIT_CORE)[1] else 1}"


@attack(Judge.SURFACE, "locks and leases of files outside by fcntl")
def lease(target: Target) -> str:
    try:
        with open(f"{target.world.home}/.config/jupyter-qguard/policy.yaml", "rb") as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except FileNotFoundError:
        return f"errno {errno.ENOSYS}"
    except OSError as problem:
        return f"errno {problem.errno}"
    return "errno 0"
