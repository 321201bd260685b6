"""Makes the network of a kernel, parts its mounts from the machine's, hands its listeners out, and becomes bubblewrap: ``python -I -S stub.py FD PORTS [BRIDGE…] -- …``.

Runs as the user, outside of any sandbox, so it imports the standard library only, and of that the small modules: the
``socket`` module alone would cost 8 ms. ``FD`` is an end of a socket pair. Over it goes one packet, the listeners
beside it or the reason why there are none; then the stub waits for an answer and executes what stands behind ``--``, so
that whoever started it has bubblewrap as its child. ``BRIDGE`` is a command that runs beside it in the same network.
"""

from __future__ import annotations

import _socket
import array
import ctypes
import fcntl
import os
import struct
import sys

CLONE_NEWNS = 0x20000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIGKILL = 9
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

PROXY_PORT = 3128
NAMES_ADDRESS = "127.0.0.53"
NAMES_PORT = 53
BACKLOG = 512
"""Connections that wait while the gateway is started anew."""


class StepError(Exception):
    """A step failed: its name for the person, and the reason."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(step, reason)
        self.step = step
        self.reason = reason


def main() -> None:
    """Do all of it; ends with 71 where a step failed."""
    number, ports, *rest = sys.argv[1:]
    bridge, command = _parted(rest)
    control = _socket.socket(fileno=int(number))
    os.set_inheritable(control.fileno(), False)
    if not command:
        raise SystemExit(64)
    try:
        enter_network()
        doors = open_doors([int(port) for port in ports.split(",") if port])
    except StepError as error:
        control.send(f"failed\n{error.step}\n{error.reason}".encode())
        raise SystemExit(71) from None
    packet = "doors\n" + "\n".join(f"{kind} {port}" for kind, port, _ in doors)
    descriptors = array.array("i", [door.fileno() for _, _, door in doors])
    control.sendmsg([packet.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
    for _, _, door in doors:
        door.close()
    if control.recv(16) != b"go":
        raise SystemExit(0)  # whoever started this is gone, or thought better of it
    if bridge:
        _run_beside(bridge)
    os.execv(command[0], command)


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """The commands before and behind ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _run_beside(command: list[str]) -> None:
    """Start *command*, that ends with this process. It inherits nothing: the probe tells by its end that a kernel runs."""
    own = os.getpid()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        if os.getppid() == own:
            os.execv(command[0], command)
        os._exit(71)


def enter_network() -> None:
    """Leave the network of this machine for a new one, in which only the loopback device exists."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0:
        raise StepError("namespaces", os.strerror(ctypes.get_errno()))
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    except OSError as error:
        raise StepError("identity", error.strerror or "unknown") from None
    # After the new identity, which clears it. Bubblewrap sets it again for itself.
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    try:
        _loopback_up()
    except OSError as error:
        # Ubuntu's AppArmor lets the namespaces be made and takes the capabilities away.
        raise StepError("loopback", error.strerror or "unknown") from None
    # Else what is mounted on the machine later (a stick, a share) would come into the sandbox too, and be writable there.
    if libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) != 0:
        raise StepError("mounts", os.strerror(ctypes.get_errno()))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _loopback_up() -> None:
    device = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        request = struct.pack("16sH14x", b"lo", 0)
        answer = fcntl.ioctl(device.fileno(), SIOCGIFFLAGS, request)
        (flags,) = struct.unpack_from("H", answer, 16)
        fcntl.ioctl(device.fileno(), SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    finally:
        device.close()


def open_doors(ports: list[int]) -> list[tuple[str, int, _socket.socket]]:
    """The listeners: what is spoken there, the port, the socket."""
    doors = [
        ("proxy", PROXY_PORT, _listen(_socket.AF_INET, _socket.SOCK_STREAM, ("127.0.0.1", PROXY_PORT))),
        ("names", NAMES_PORT, _listen(_socket.AF_INET, _socket.SOCK_DGRAM, (NAMES_ADDRESS, NAMES_PORT))),
        ("names_stream", NAMES_PORT, _listen(_socket.AF_INET, _socket.SOCK_STREAM, (NAMES_ADDRESS, NAMES_PORT))),
    ]
    if os.path.exists("/proc/net/if_inet6"):  # not where IPv6 is off
        doors.append(("proxy", PROXY_PORT, _listen(_socket.AF_INET6, _socket.SOCK_STREAM, ("::1", PROXY_PORT))))
    taken = {PROXY_PORT, NAMES_PORT}
    doors += [
        ("direct", port, _listen(_socket.AF_INET, _socket.SOCK_STREAM, ("0.0.0.0", port)))  # noqa: S104 - inside only
        for port in ports
        if port not in taken
    ]
    return doors


def _listen(family: int, kind: int, address: tuple[str, int]) -> _socket.socket:
    made = _socket.socket(family, kind)
    try:
        if kind == _socket.SOCK_STREAM:
            made.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        made.bind(address)
        if kind == _socket.SOCK_STREAM:
            made.listen(BACKLOG)
    except OSError as error:
        raise StepError("listeners", f"port {address[1]}: {error.strerror}") from None
    return made


if __name__ == "__main__":
    main()
