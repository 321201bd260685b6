"""A network of the judge's own, in which every address is local, so that every attack would arrive; and what is seen in it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jupyter_qguard.sandbox.lasting import LastingThread

if TYPE_CHECKING:
    from collections.abc import Callable

_NEWUSER, _NEWNET, _NEWNS = 0x10000000, 0x40000000, 0x20000
_PRIVATE, _SHARED, _BIND = 1 << 18 | 1 << 14, 1 << 20, 4096
_ALL = 3
_NONCE = re.compile(rb"qg[0-9a-f]{12}", re.IGNORECASE)
_SERVED = {53, 80, 443}
_BARRIER = "44.99.99.99"
PLATFORM, _POD = "10.77.0.1", "10.77.0.2"
"""Where the proxy of a platform is, and where a pod is."""
_READ_BY_OTHERS = ("etc/jupyter", "share/jupyter/kernels", "share/jupyter/labextensions")
"""Of the environment: every Jupyter server reads it when it starts."""
T = TypeVar("T")
_LIBC = ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


def enter() -> None:
    """Move this process, which must have one thread only, into namespaces of its own.

    Raises
    ------
    OSError
        The machine does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    _must(_LIBC.unshare(_NEWNET | _NEWNS | (0 if user == 0 else _NEWUSER)), "unshare")
    if user:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    _must(_LIBC.mount(b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None), "mounts made private")
    _must(_LIBC.mount(b"tmpfs", b"/run", b"tmpfs", ctypes.c_ulong(0), b"mode=755"), "/run")
    _must(_LIBC.mount(b"tmpfs", b"/srv", b"tmpfs", ctypes.c_ulong(0), b"mode=755"), "/srv")
    # As most machines have it: what is mounted later comes into the namespaces made before.
    _must(_LIBC.mount(None, b"/srv", None, ctypes.c_ulong(_SHARED), None), "/srv shared")
    for name in _READ_BY_OTHERS:
        _own(Path(sys.prefix, name))
    Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0", encoding="ascii")
    Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{group} {group}", encoding="ascii")
    Path("/proc/sys/net/ipv4/tcp_fastopen").write_text("3", encoding="ascii")
    _everything_is_local()


def _own(folder: Path) -> None:
    """Let *folder* be a copy in this namespace: what an attack leaves there, tests that run meanwhile would read."""
    if folder.is_dir():
        copy = Path("/run/own") / folder.relative_to("/")
        shutil.copytree(folder, copy, symlinks=True)
        _must(_LIBC.mount(os.fsencode(copy), os.fsencode(folder), None, ctypes.c_ulong(_BIND), None), str(folder))


def enter_pod() -> Callable[[Callable[[], T]], T]:
    """Move this thread, and what it starts, into the network of a pod: there is a way to :data:`PLATFORM`, and no other.

    What comes back runs a call in the network outside.
    """
    outside = LastingThread()
    ways = (
        "link add pod type veth peer name eth0", f"address add {PLATFORM}/30 dev pod", "link set pod up",
        # Before all addresses are local there: the answers.
        "rule add pref 10 lookup local", "rule del pref 0", f"rule add pref 5 to {_POD} lookup main",
    )  # fmt: skip
    for words in ways:
        subprocess.run(["ip", *words.split()], check=True)
    # The parent is this process, and its network by then the pod's.
    mover = subprocess.Popen(["sh", "-c", "read go && ip link set eth0 netns $PPID"], stdin=subprocess.PIPE)
    _must(_LIBC.unshare(_NEWNET), "unshare")
    mover.communicate(b"go\n")
    for words in ("link set lo up", f"address add {_POD}/30 dev eth0", "link set eth0 up"):
        subprocess.run(["ip", *words.split()], check=True)
    return outside.call


def mount_share(path: str) -> None:
    """Mount a file system at *path*, as a stick or a share would be."""
    _must(_LIBC.mount(b"tmpfs", os.fsencode(path), b"tmpfs", ctypes.c_ulong(0), b"mode=777"), path)


def cover(path: str, text: str, kept: Path) -> None:
    """Let *path* hold *text*, in this namespace only."""
    file = kept / path.strip("/").replace("/", "_")
    file.write_text(text, encoding="utf-8")
    real = os.path.realpath(path)
    if real.startswith("/run/"):
        Path(real).parent.mkdir(parents=True, exist_ok=True)
        Path(real).write_text(text, encoding="utf-8")
    else:
        _must(_LIBC.mount(os.fsencode(file), os.fsencode(real), None, ctypes.c_ulong(_BIND), None), path)


def _everything_is_local() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as end:
        _ask(end, 16, 0, struct.pack("=BxHiII", 0, 0, 1, 1, 1))  # lo up
        device = struct.pack("=HHI", 8, 4, 1)
        for family in (socket.AF_INET, socket.AF_INET6):
            # Table local, protocol boot, scope host, type local.
            _ask(end, 24, 0x400, struct.pack("=BBBBBBBBI", family, 0, 0, 0, 255, 3, 254, 2, 0) + device)


def _ask(end: socket.socket, kind: int, flags: int, body: bytes) -> None:
    end.sendto(struct.pack("=IHHII", 16 + len(body), kind, 5 | flags, 1, 0) + body, (0, 0))
    code = -struct.unpack_from("=i", end.recv(4096), 16)[0]
    if code:
        raise OSError(code, "netlink")


class Sniffer(threading.Thread):
    """Every packet of the network: where to, and which nonces it held."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._end = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
        with contextlib.suppress(OSError):
            self._end.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.addresses: set[str] = set()
        self.ports: set[int] = set()
        self.nonces: set[str] = set()
        self._barriers = 0
        self.start()

    def run(self) -> None:
        room = bytearray(70_000)
        while True:
            size = self._end.recv_into(room)
            self._look(bytes(room[:size]))

    def _look(self, packet: bytes) -> None:
        version = packet[0] >> 4 if packet else 0
        if version == 4 and len(packet) >= 20:
            head, protocol = (packet[0] & 15) * 4, packet[9]
            address = socket.inet_ntoa(packet[16:20])
        elif version == 6 and len(packet) >= 40:
            head, protocol = 40, packet[6]
            address = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        else:
            return
        if address == _BARRIER:
            self._barriers += 1
        self.addresses.add(address)
        port = int.from_bytes(packet[head + 2 : head + 4], "big") if protocol in {6, 17} else 0
        if port:
            self.ports.add(port)
        if address == "127.0.0.1" and port not in _SERVED:
            return  # what is said to a proxy outside has not gone anywhere yet
        self.nonces.update(found.decode().lower() for found in _NONCE.findall(packet))

    def settle(self) -> None:
        """Wait until all that was sent before is seen."""
        before = self._barriers
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", (_BARRIER, 9))
        until = time.monotonic() + 10
        while self._barriers <= before:
            if time.monotonic() > until:
                text = "the sniffer does not come along"
                raise TimeoutError(text)
            time.sleep(0.01)

    def lost(self) -> int:
        """Packets that were not seen."""
        return struct.unpack("=II", self._end.getsockopt(263, 6, 8))[1]
