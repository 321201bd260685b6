"""What the canaries of a kernel try to reach: sockets that this process opens outside of every sandbox."""

from __future__ import annotations

import secrets
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMESPACES = ("user", "net", "mnt", "pid", "ipc")
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd")
"""Sets of capabilities that must be empty, as ``/proc/self/status`` calls them; the last, of what could be gained."""
_MOST_SEEN = 1000
"""Datagrams that are remembered: nobody may fill the memory with them."""
_RESOLVER = "nameserver 127.0.0.53\noptions timeout:2 attempts:1\n"


class Bait:
    """The sockets, and what arrived there. Safe for several threads."""

    def __init__(self, folder: Path) -> None:
        """Put what has a path into *folder*, which no sandbox may show."""
        self.folder = folder
        self.resolv_conf = self.folder / "resolv.conf"
        self.resolv_conf.write_text(_RESOLVER, encoding="ascii")
        self.resolv_conf.chmod(0o644)
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._tcp6 = _ipv6_listener()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.setblocking(False)
        self._abstract = f"qguard-{secrets.token_hex(8)}"
        self._named = _unix_listener(b"\0" + self._abstract.encode())
        self._path = str(self.folder / "bait")
        self._at_path = _unix_listener(self._path)
        self._seen: set[bytes] = set()
        self._lock = threading.Lock()

    def orders(self, nonce: str, unwritable: Iterable[Path], unreadable: Iterable[Path]) -> dict[str, Any]:
        """What a probe needs to know."""
        return {
            "nonce": nonce,
            "capabilities": CAPABILITIES,
            "namespaces": {name: Path(f"/proc/self/ns/{name}").stat().st_ino for name in _NAMESPACES},
            "tcp": self._tcp.getsockname()[1],
            "tcp6": self._tcp6.getsockname()[1] if self._tcp6 else 0,
            "udp": self._udp.getsockname()[1],
            "abstract": self._abstract,
            "path_socket": self._path,
            "unwritable": [(str(path), path.stat().st_dev) for path in unwritable if path.is_dir()],
            "unreadable": [str(path) for path in unreadable],
        }

    def caught(self, nonce: str) -> bool:
        """Whether a datagram with *nonce* arrived. On one machine it arrives before its sender goes on."""
        with self._lock:
            while True:
                try:
                    self._seen.add(self._udp.recv(256))
                except BlockingIOError:
                    break
            found = nonce.encode() in self._seen
            self._seen.clear() if len(self._seen) > 1000 else None
        return found

    def close(self) -> None:
        """Close all."""
        for each in (self._tcp, self._tcp6, self._udp, self._named, self._at_path):
            if each:
                each.close()


def _ipv6_listener() -> socket.socket | None:
    try:
        return socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        return None


def _unix_listener(address: str | bytes) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(address)
    made.listen(8)
    return made
