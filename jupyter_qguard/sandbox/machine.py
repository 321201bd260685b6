"""Looks at this machine: what it says of itself, and whether a sandbox can be made here. Needs no gateway."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from jupyter_qguard.sandbox.errors import SandboxUnavailableError
from jupyter_qguard.sandbox.mounts import NAMESPACES
from jupyter_qguard.sandbox.programs import BARE, PLACES, filter_pipe, find_bwrap, python_command
from jupyter_qguard.sandbox.requirements import INSTALLERS, SYSCTLS, Machine, Trial

_PATIENCE = 20.0
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_MOST_SAID = 300


def look() -> Machine:
    """What this machine is, after one attempt to make a sandbox on it: about 50 ms."""
    found = os.uname()
    if not sys.platform.startswith("linux"):
        return Machine(system=found.sysname, release=found.release, processor=found.machine)
    try:
        bwrap = find_bwrap()
    except SandboxUnavailableError:
        bwrap = ""
    return Machine(
        system=found.sysname,
        release=found.release,
        processor=found.machine,
        filters=_can_filter(),
        bwrap=bwrap,
        bwrap_version=_version_of(bwrap) if bwrap else (),
        sysctls=_sysctls(),
        container=_is_container(),
        installer=next((name for name in INSTALLERS if shutil.which(name, path=f"{PLACES}:/usr/sbin:/sbin")), ""),
        trial=_try(bwrap or "true"),
    )


def _can_filter() -> bool:
    """As ``prctl(2)`` has it: Linux without filters says EINVAL, Linux with them looks for the program (EFAULT)."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, None, 0, 0) == 0 or ctypes.get_errno() != errno.EINVAL


def _version_of(bwrap: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(  # noqa: S603
            [bwrap, "--version"], capture_output=True, text=True, check=False, env=BARE, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = _VERSION.search(done.stdout)
    return tuple(map(int, found[0].split("."))) if found else ()


def _sysctls() -> dict[str, int]:
    found = {}
    for name in SYSCTLS:
        with contextlib.suppress(OSError, ValueError):
            found[name] = int(Path("/proc/sys", *name.split(".")).read_text("ascii"))
    return found


def _is_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")) or (
        "KUBERNETES_SERVICE_HOST" in os.environ
    )


def _try(program: str) -> Trial:
    """Stub, and in its network bubblewrap, as at the start of a kernel. Without bubblewrap the stub alone."""
    with contextlib.ExitStack() as stack:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stack.callback(ours.close)
        stack.callback(theirs.close)
        ours.settimeout(_PATIENCE)
        passed = [theirs.fileno()]
        inside = [program]
        if program != "true":
            try:
                passed.append(filter_pipe(stack))
            except SandboxUnavailableError:
                return Trial("processor", "")
            inside += [*NAMESPACES, "--perms", "1777", "--tmpfs", "/tmp", "--seccomp", str(passed[1]), "--", "true"]  # noqa: S108
        process = subprocess.Popen(  # noqa: S603
            [*python_command("stub.py", theirs.fileno()), "443", "--", *inside],
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            env=BARE,
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        theirs.close()
        return _judged(process, ours, confined=program != "true")


def _judged(process: subprocess.Popen[bytes], stub: socket.socket, *, confined: bool) -> Trial:
    try:
        packet, descriptors, _, _ = socket.recv_fds(stub, 65536, 64, socket.MSG_CMSG_CLOEXEC)
    except OSError as error:
        return Trial("stub", error.strerror or "no answer")
    for number in descriptors:
        os.close(number)
    word, *lines = packet.decode(errors="replace").split("\n")
    if word == "failed" and len(lines) == 2:
        return Trial(*lines)
    if word != "doors":
        return Trial("stub", _said(process))
    if not confined:
        return Trial("bubblewrap", "")
    stub.send(b"go")
    said = _said(process)
    return Trial("", "") if process.returncode == 0 else Trial("mounts", said)


def _said(process: subprocess.Popen[bytes]) -> str:
    try:
        _, said = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return "it does not end"
    text = said.decode(errors="replace")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[-_MOST_SAID:]
