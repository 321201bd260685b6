"""What answers in the judge's network: name service, vendor and attacker with TLS, plain servers, a proxy that is naive."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.attack.network import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VENDOR, PLAIN, WILD, EVIL = "api.vendor.example", "plain.vendor.example", "wild.example", "evil.example"
DENIED = f"blocked.{WILD}"
PROXY_PORT = 3128
RESOLVER, VENDOR_AT, PLAIN_AT = "44.77.0.53", "44.77.0.1", "44.77.0.2"
METADATA = frozenset(
    {
        "169.254.169.254",
        "fd00:ec2::254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    }
)
_ATTACK = re.compile(r"(?:^|[^a-z0-9])[aq](\d+)(?:$|[^0-9])")
_REBOUND = re.compile(r"(?:^|\.)r([a-z0-9]+)-(\d+)\.")
_A, _AAAA = 1, 28


class Names(threading.Thread):
    """The name service outside: answers everything, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.asked: set[str] = set()
        self._flips: dict[str, int] = {}
        self._end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._end.bind((RESOLVER, 53))
        self.start()

    def run(self) -> None:
        while True:
            message, client = self._end.recvfrom(4096)
            with contextlib.suppress(IndexError, KeyError, ValueError, struct.error, OSError):
                self._end.sendto(self.answer(message), client)

    def answer(self, message: bytes) -> bytes:
        """The answer to a question."""
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]])
            at += 1 + message[at]
        name = b".".join(labels).decode("latin-1").lower()
        self.asked.add(name)
        kind = int.from_bytes(message[at + 1 : at + 3], "big")
        found = [address for address in self.addresses(name, kind) if (":" in address) == (kind == _AAAA)]
        head = message[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0)
        body = message[12 : at + 5]
        for address in found:
            packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            body += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(packed)) + packed
        return head + body

    def addresses(self, name: str, kind: int) -> list[str]:
        """Where *name* leads."""
        fixed = {VENDOR: VENDOR_AT, PLAIN: PLAIN_AT, "metadata.google.internal": "169.254.169.254"}.get(name)
        if fixed:
            return [fixed]
        rebound = _REBOUND.search(name)
        if rebound:
            if rebound[1] == "flip" and kind == _A:
                self._flips[name] = self._flips.get(name, 0) + 1
                return [_of("zero-public" if self._flips[name] % 2 else "loop", int(rebound[2]))]
            return (
                [_of("zero-public", int(rebound[2])), _of("private", int(rebound[2]))]
                if rebound[1] == "second"
                else [_of(rebound[1], int(rebound[2]))]
            )
        attack = _ATTACK.search(name)
        return (
            [f"44.66.{int(attack[1]) >> 8}.{int(attack[1]) & 255}"] if attack else ["44.77.0.9"] if kind == _A else []
        )


def _of(kind: str, number: int) -> str:
    high, low = number >> 8, number & 255
    embedded = f"7fa6:{high:02x}{low:02x}"
    return {
        "loop": f"127.166.{high}.{low}", "loop6": "::1", "mapped": f"::ffff:127.166.{high}.{low}", "private": f"10.66.{high}.{low}",
        "private16": f"172.16.{high}.{low}", "private192": f"192.168.{high}.{low}", "shared": f"100.66.{high}.{low}", "link": f"169.254.{high}.{low}",
        "link6": f"fe80::{number + 16:x}", "unique": f"fd00:66::{number + 16:x}", "nat64": f"64:ff9b::{embedded}", "sixto4": f"2002:{embedded}::1",
        "zero": "0.0.0.0", "metadata": "169.254.169.254", "metadata6": "fd00:ec2::254", "alibaba": "100.100.100.200", "azure": "168.63.129.16",
        "multicast": f"224.66.{high}.{low}", "benchmark": f"198.18.{high}.{low}", "alias": "127.0.0.1", "zero-public": f"44.88.{high}.{low}",
    }[kind]  # fmt: skip


def _serve(port: int, talk: Callable[[socket.socket], None], address: str = "::") -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.IPPROTO_TCP, 23, 100)  # TCP_FASTOPEN
    listener.bind((address, port))
    listener.listen(1024)

    def one(end: socket.socket) -> None:
        with end, contextlib.suppress(OSError, ValueError):
            end.settimeout(20)
            talk(end)

    def forever() -> None:
        while True:
            end, _ = listener.accept()
            threading.Thread(target=one, args=(end,), daemon=True).start()

    threading.Thread(target=forever, daemon=True).start()


class Web:
    """Servers of vendor, attacker and metadata: they keep the paths that were asked."""

    def __init__(self, folder: Path, metadata: str) -> None:
        self.paths: list[str] = []
        self._metadata = metadata
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate(folder / "server.pem")
        self._context.load_cert_chain(folder / "server.pem")
        _serve(443, self._tls)
        _serve(80, self._plain)
        for port in (22, 853):
            _serve(port, self._plain)

    def _tls(self, end: socket.socket) -> None:
        with self._context.wrap_socket(end, server_side=True) as tls:
            self._plain(tls)

    def _plain(self, end: socket.socket) -> None:
        received = b""
        while True:
            data = end.recv(65536)
            if not data:
                return
            received += data
            while b"\r\n\r\n" in received:
                head, _, received = received.partition(b"\r\n\r\n")
                self.paths.append(head.split(b"\r\n")[0].decode("latin-1"))
                body = self._metadata.encode() if b"/latest/" in head else b"ok"
                end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                lengths = re.findall(rb"(?i)\r\ncontent-length: *\+?(\d+)", head)
                received = received[int(lengths[0]) :] if lengths and b"chunked" not in head else received
                if b"close" in head.lower():
                    return


class Strict:
    """The proxy of a platform, outside of its pods: lets through to the allowlist alone."""

    def __init__(self) -> None:
        _serve(PROXY_PORT, self._talk, PLATFORM)

    @staticmethod
    def _talk(end: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = end.recv(4096)
            if not data:
                return
            head += data
        method, target = head.decode("latin-1").split()[:2]
        name, _, port = target.rpartition(":")
        below = name.endswith(f".{WILD}") and not name.endswith(f".{DENIED}")
        if method != "CONNECT" or (
            (name, port) not in {(VENDOR, "443"), (PLAIN, "80")} and not (below and port == "443")
        ):
            end.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((name, int(port)), 5) as other:
            end.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_copy, args=(other, end), daemon=True)
            back.start()
            _copy(end, other)
            back.join(20)


class Naive:
    """A proxy as one writes it in an afternoon; the unguarded kernel has it, so that the tricks are seen to work."""

    def __init__(self) -> None:
        _serve(3128, self._talk, "127.0.0.1")

    def _talk(self, end: socket.socket) -> None:
        head = b""
        while b"\n\r\n" not in head and b"\n\n" not in head and len(head) < 65536:
            data = end.recv(4096)
            if not data:
                return
            head += data
        words = head.replace(b"\r", b"\n").decode("latin-1").split()
        method, target = words[0].upper(), words[1]
        host = re.search(r"(?im)^host *: *(\S+)", head.decode("latin-1"))
        if method != "CONNECT" and "://" not in target:
            target = f"http://{host[1] if host else ''}/"
        place = (
            target.rpartition("@")[2].partition("://")[2].partition("/")[0]
            if "://" in target
            else target.rpartition("@")[2]
        )
        name, _, port = (
            place.rpartition(":") if method == "CONNECT" or re.search(r":\d+$", place) else (place, "", "80")
        )
        name = (
            name.strip("[]")
            .split("\0")[0]
            .split("%00")[0]
            .split("/")[0]
            .split("#")[0]
            .split("?")[0]
            .split("\\")[0]
            .rstrip(".")
            or name
        )
        self._pass(end, name.encode("latin-1").decode("utf-8", "replace"), int(port or 443) % 65536, method, head)

    @staticmethod
    def _pass(end: socket.socket, name: str, port: int, method: str, head: bytes) -> None:
        with socket.create_connection((name, port), 5) as other:
            if method == "CONNECT":
                end.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                head = head.partition(b"\r\n\r\n")[2]
            if head:
                other.sendall(head)
            back = threading.Thread(target=_copy, args=(other, end), daemon=True)
            back.start()
            _copy(end, other)
            back.join(20)


def _copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


def catch(ports: list[int]) -> None:
    """Accept whatever comes to *ports*: who connected has been seen already."""
    import selectors

    chosen = selectors.DefaultSelector()
    for port in ports:
        listener = socket.socket(socket.AF_INET6)
        listener.bind(("::", port))
        listener.listen(8)
        chosen.register(listener, selectors.EVENT_READ)

    def forever() -> None:
        while True:
            for key, _ in chosen.select():
                key.fileobj.accept()[0].close()  # type: ignore[union-attr]

    threading.Thread(target=forever, daemon=True).start()


def certificate(path: Path) -> None:
    """A certificate that nobody signed, for every name of the judge's network, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, VENDOR)])
    names = [x509.DNSName(each) for each in (VENDOR, f"*.{WILD}", f"*.{EVIL}")]
    today = dt.datetime.now(dt.timezone.utc)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(today - dt.timedelta(1)).not_valid_after(today + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
