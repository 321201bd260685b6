"""What would keep others waiting: meanwhile another kernel asks an allowed host, and must be answered."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from .base import Judge, Target, attack, proxy, resolver
from .wire import question

_HELD = 1.3


def _hold(count: int, data: bytes) -> str:
    held, refused = [], 0
    for _ in range(count):
        try:
            end = socket.create_connection(proxy(), 0.5)
            end.sendall(data)
        except OSError:
            refused += 1
            if refused > 20:
                break
            continue
        held.append(end)
    time.sleep(_HELD)
    return f"{len(held)} held, {refused} refused"


@attack(Judge.PEER, "1000 connections that say nothing", alone=True, seconds=15)
def idle(_: Target) -> str:
    return _hold(1000, b"")


@attack(Judge.PEER, "1000 requests that never end", alone=True, seconds=15)
def unfinished(_: Target) -> str:
    return _hold(1000, b"CONNECT x")


@attack(Judge.PEER, "500 tunnels to an allowed host that say nothing", alone=True, seconds=15)
def tunnels(target: Target) -> str:
    return _hold(500, f"CONNECT {target.world.vendor}:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode())


@attack(Judge.PEER, "500 greetings that never end", alone=True, seconds=15)
def greetings(target: Target) -> str:
    return _hold(
        500,
        f"CONNECT {target.world.vendor}:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01\x40\x00\x01\x00\x3f\xfc".encode(
            "latin-1"
        ),
    )


@attack(Judge.PEER, "heads without an end, megabytes of them", alone=True, seconds=15)
def giant(_: Target) -> str:
    sent, until = 0, time.monotonic() + _HELD
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(proxy(), 0.5) as end:
            end.sendall(b"GET http://x/ HTTP/1.1\r\n")
            for _ in range(200):
                sent += end.send(b"X-A: " + b"a" * 60000 + b"\r\n")
    return f"{sent} bytes"


@attack(Judge.PEER, "garbage at the proxy, as fast as it goes", alone=True, seconds=15)
def garbage(_: Target) -> str:
    count, until = 0, time.monotonic() + _HELD
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(proxy(), 0.5) as end:
            end.sendall(os.urandom(3000))
            count += 1
    return f"{count} times"


@attack(Judge.PEER, "connections broken off at once", alone=True, seconds=15)
def resets(_: Target) -> str:
    count, until = 0, time.monotonic() + _HELD
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(proxy(), 0.5) as end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            count += 1
    return f"{count} times"


@attack(Judge.PEER, "questions for names, as fast as they go", alone=True, seconds=15)
def questions(target: Target) -> str:
    count, until = 0, time.monotonic() + _HELD
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        while time.monotonic() < until:
            with suppress(OSError):
                end.sendto(question(b"n%d." % count + target.world.wild.encode()), (resolver(), 53))
                count += 1
    return f"{count} questions"


@attack(Judge.PEER, "refused requests, as fast as they go: each would be a record", alone=True, seconds=15)
def refusals(target: Target) -> str:
    count, until = 0, time.monotonic() + _HELD
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(proxy(), 0.5) as end:
            end.sendall(b"CONNECT n%d.%s:443 HTTP/1.1\r\n\r\n" % (count, target.world.evil.encode()))
            end.settimeout(0.5)
            end.recv(100)
            count += 1
    return f"{count} requests"


@attack(Judge.SURFACE, "an answer of the name service much larger than its question")
def amplified(target: Target) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.settimeout(1)
        asked = question(target.wild.encode(), 255)
        end.sendto(asked, (resolver(), 53))
        return f"errno {1 if len(end.recv(65535)) < 4 * len(asked) else 0}"
