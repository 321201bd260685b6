"""Allowed names that lead where no allowed name may lead: the address is checked, and the checked one dialled."""

from __future__ import annotations

import time

from .base import Judge, Target, attack, each
from .wire import ask, code, connect, greet, hello, question, record, server_name, tell

KINDS = (
    "loop", "loop6", "mapped", "private", "private16", "private192", "shared", "link", "link6", "unique", "nat64", "sixto4",
    "zero", "metadata", "metadata6", "alibaba", "azure", "multicast", "benchmark", "alias",
)  # fmt: skip
"""The judge's name service answers a question for `rKIND-N.…` with an address of that kind."""


@each(Judge.PACKET, "an allowed name with the address", {kind: kind for kind in KINDS})
def address(target: Target, case: object) -> str:
    name = f"r{case}-{target.number}.{target.world.wild}"
    return greet(f"{name}:443", record(hello(target.nonce, server_name(name.encode()))))


@attack(Judge.PACKET, "an allowed name with a public address first and a private one second")
def second(target: Target) -> str:
    name = f"rsecond-{target.number}.{target.world.wild}"
    return greet(f"{name}:443", record(hello("x" * 14, server_name(name.encode()))))


@attack(Judge.PACKET, "an allowed name whose address changes between questions")
def flipping(target: Target) -> str:
    name, said = f"rflip-{target.number}.{target.world.wild}", ""
    for _ in range(8):
        said = greet(f"{name}:443", record(hello("x" * 14, server_name(name.encode()))))
        time.sleep(0.02)
    return said


@attack(Judge.PACKET, "without the proxy: an allowed name with a loopback address")
def direct(target: Target) -> str:
    import socket

    name = f"rloop-{target.number}.{target.world.wild}"
    answer = ask(question(name.encode()))
    if answer[3] & 15:
        return code(answer)
    with socket.create_connection((socket.inet_ntoa(answer[-4:]), 443), 2) as end:
        end.settimeout(1)
        end.sendall(record(hello(target.nonce, server_name(name.encode()))))
        return repr(end.recv(100))


@attack(Judge.PACKET, "a plain request to an allowed name with a loopback address")
def plain(target: Target) -> str:
    name = f"rloop-{target.number}.{target.world.wild}"
    return tell(f"GET http://{name}:443/ HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())


@attack(Judge.PACKET, "a name in the kernel's own host file")
def host_file(target: Target) -> str:
    try:
        with open("/etc/hosts", "a", encoding="utf-8") as file:
            file.write(f"{target.public} h{target.number}.{target.world.wild}\n")
    except OSError as problem:
        said = f"{problem}; "
    else:
        said = "written; "
    return said + connect(f"h{target.number}.{target.world.wild}:443")
