"""What must go on working: a guard that holds everything by cutting everything off would pass no judge."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from contextlib import closing

from .base import proxy

CASES = ("proxy", "transparent", "plain", "wild", "workspace", "shell", "local")


def _request(end: socket.socket, name: str, path: str) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(end, server_hostname=name) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return tls.recv(100).decode()


def tunnel(name: str, path: str) -> str:
    """A request through the proxy; what was answered."""
    with closing(socket.create_connection(proxy(), 5)) as end:
        end.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
        answer = end.recv(4096)
        return _request(end, name, path) if b" 200 " in answer else answer.decode()


def check(case: str, vendor: str, plain: str, wild: str, path: str) -> str:
    """Try one of :data:`CASES`; the word ``ok``, or what went wrong."""
    try:
        return _check(case, vendor, plain, wild, path)
    except (OSError, LookupError) as problem:
        return f"{type(problem).__name__}: {problem}"


def _check(case: str, vendor: str, plain: str, wild: str, path: str) -> str:
    if case == "proxy":
        said = tunnel(vendor, path)
    elif case == "wild":
        said = tunnel(f"any.{wild}", path)
    elif case == "transparent":
        with closing(socket.create_connection((vendor, 443), 5)) as end:
            said = _request(end, vendor, path)
    elif case == "plain":
        with closing(socket.create_connection(proxy(), 5)) as end:
            end.sendall(f"GET http://{plain}{path} HTTP/1.1\r\nHost: {plain}\r\n\r\n".encode())
            said = end.recv(1000).decode()
    elif case == "workspace":
        with open(f"work-{os.getpid()}", "w", encoding="utf-8") as file:
            file.write("x")
        said = " 200 "
    elif case == "shell":
        said = subprocess.run(["sh", "-c", "echo ' 200 '"], capture_output=True, text=True, check=True).stdout
    else:
        with (
            closing(socket.create_server(("127.0.0.1", 0))) as one,
            closing(socket.create_connection(one.getsockname(), 2)),
        ):
            said = " 200 "
    return "ok" if " 200 " in said else said.split("\r\n")[0]
