"""TLS inside a tunnel to an allowed host: another name in the greeting, or none. Judged by what reaches the host."""

from __future__ import annotations

import socket
import struct
from contextlib import closing, suppress

from .base import Judge, Target, attack, each, proxy
from .wire import ask, block, greet, hello, question, record, server_name


def _extensions(target: Target, case: str) -> bytes | None:
    good, evil = server_name(target.wild.encode()), server_name(target.name.encode())
    ech = struct.pack(">H", 0xFE0D) + block(b"\0\0\x01\0\x01\0" + block(b"k" * 32) + block(b"e" * 64))
    both = struct.pack(">H", 0) + block(
        block(b"\0" + block(target.wild.encode()) + b"\0" + block(target.name.encode()))
    )
    return {
        "another name": evil,
        "a denied name": server_name(f"a.{target.world.denied}".encode()),
        "no name": b"",
        "no extensions at all": None,
        "two names in one list": both,
        "two lists": good + evil,
        "two lists, the other first": evil + good,
        "NUL in the name": server_name(target.wild.encode() + b"\0." + target.name.encode()),
        "an address": server_name(target.public.encode()),
        "an empty name": struct.pack(">H", 0) + block(block(b"\0" + block(b""))),
        "a name of another type": struct.pack(">H", 0) + block(block(b"\1" + block(target.wild.encode()))),
        "encrypted greeting, another name outside": evil + ech,
        "not ASCII": server_name("\u00e4.".encode() + target.wild.encode()),
        "bytes behind the name": struct.pack(">H", 0) + block(block(b"\0" + block(target.wild.encode())) + b"xx"),
        "a longer list than there is": good[:-2] + b"\0\0",
    }[case]


_CASES = (
    "another name", "a denied name", "no name", "no extensions at all", "two names in one list", "two lists",
    "two lists, the other first", "NUL in the name", "an address", "an empty name", "a name of another type",
    "encrypted greeting, another name outside", "not ASCII", "bytes behind the name", "a longer list than there is",
)  # fmt: skip


@each(Judge.PAYLOAD, "TLS greeting with", {case: case for case in _CASES})
def name(target: Target, case: object) -> str:
    return greet(f"{target.wild}:443", record(hello(target.nonce, _extensions(target, str(case)))))


@attack(Judge.PAYLOAD, "TLS greeting with another name, in records of five bytes")
def records(target: Target) -> str:
    # The nonce would be cut too: it stands once more in the name.
    evil = server_name(f"{target.nonce}.{target.name}".encode())
    message = hello(target.nonce, evil)
    return greet(f"{target.wild}:443", record(message[:60]) + record(message[60:]))


@attack(Judge.PAYLOAD, "TLS greeting with another name, in segments of 64 bytes")
def segments(target: Target) -> str:
    return greet(f"{target.wild}:443", record(hello(target.nonce, server_name(target.name.encode()))), pieces=64)


@attack(Judge.PAYLOAD, "two greetings in one record")
def twice(target: Target) -> str:
    first = hello("x" * 14, server_name(target.wild.encode()))
    return greet(f"{target.wild}:443", record(first + hello(target.nonce, server_name(target.name.encode()))))


@attack(Judge.PAYLOAD, "an alert first, then a greeting with another name")
def alert(target: Target) -> str:
    data = b"\x15\x03\x01\x00\x02\x01\x00" + record(hello(target.nonce, server_name(target.name.encode())))
    return greet(f"{target.wild}:443", data)


_RAW: dict[str, object] = {
    "HTTP": b"GET /%n HTTP/1.1\r\nHost: x\r\n\r\n",
    "SSH": b"SSH-2.0-%n\r\n",
    "SSL 2": b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10%n",
    "SMTP": b"EHLO %n\r\n",
    "noise": b"\xff\xfe%n",
    "TLS application data": b"\x17\x03\x03\x00\x0e%n",
    "QUIC": b"\xc0\0\0\0\1%n",
}


@each(Judge.PAYLOAD, "in a tunnel for TLS", _RAW)
def other(target: Target, case: object) -> str:
    return greet(f"{target.wild}:443", bytes(case).replace(b"%n", target.nonce.encode()))  # type: ignore[call-overload]


@attack(Judge.PAYLOAD, "in a tunnel for TLS: data together with the request")
def early(target: Target) -> str:
    data = f"CONNECT {target.wild}:443 HTTP/1.1\r\nHost: {target.wild}\r\n\r\n{target.nonce}".encode()
    with closing(socket.create_connection(proxy(), 2)) as end:
        end.settimeout(1)
        end.sendall(data)
        return end.recv(200).split(b"\r\n")[0].decode()


def _address(name_: str) -> str:
    answer = ask(question(name_.encode()))
    return socket.inet_ntoa(answer[-4:]) if answer[3] & 15 == 0 and len(answer) > 16 else "127.64.0.1"


def _direct(address: str, data: bytes) -> str:
    with closing(socket.create_connection((address, 443), 2)) as end:
        end.settimeout(1)
        end.sendall(data)
        with suppress(OSError):
            return repr(end.recv(100))
    return f"nothing from {address}"


@attack(Judge.PAYLOAD, "without the proxy: an allowed name's address, another name in the greeting")
def direct_other(target: Target) -> str:
    return _direct(_address(target.wild), record(hello(target.nonce, server_name(target.name.encode()))))


@attack(Judge.PAYLOAD, "without the proxy: an allowed name's address, no TLS")
def direct_raw(target: Target) -> str:
    return _direct(_address(target.wild), b"GET /" + target.nonce.encode() + b" HTTP/1.1\r\n\r\n")


_UNTOLD: dict[str, object] = {"never told": "127.127.1.1", "loopback": "127.0.0.1", "below the pool": "127.64.0.0"}


@each(Judge.PAYLOAD, "without the proxy: an address that was", _UNTOLD)
def untold(target: Target, case: object) -> str:
    return _direct(str(case), record(hello(target.nonce, server_name(target.name.encode()))))
