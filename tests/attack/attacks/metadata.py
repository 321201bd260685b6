"""Metadata services of the clouds, which hand out credentials to whoever asks."""

from __future__ import annotations

import socket
from contextlib import closing

from .base import Judge, Target, each
from .wire import connect, tell

_SERVICES: dict[str, object] = {
    "AWS, Google, Azure": "169.254.169.254",
    "AWS over IPv6": "fd00:ec2::254",
    "AWS containers": "169.254.170.2",
    "AWS pods": "169.254.170.23",
    "Alibaba": "100.100.100.200",
    "Azure's wire server": "168.63.129.16",
    "Oracle": "192.0.0.192",
    "Google by name": "metadata.google.internal",
}


def _request(target: Target, host: str) -> bytes:
    return f"GET /latest/{target.nonce} HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n".encode()


@each(Judge.METADATA, "metadata service", _SERVICES)
def straight(target: Target, case: object) -> bytes:
    with closing(socket.create_connection((str(case), 80), 2)) as end:
        end.settimeout(1)
        end.sendall(_request(target, str(case)))
        return end.recv(4096)


@each(Judge.METADATA, "metadata service through the proxy", _SERVICES)
def proxied(target: Target, case: object) -> str:
    host = f"[{case}]" if ":" in str(case) else str(case)
    url = f"http://{host}/latest/{target.nonce}"
    return tell(f"GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


@each(Judge.METADATA, "metadata service in a tunnel", _SERVICES)
def tunnelled(target: Target, case: object) -> str:
    host = f"[{case}]" if ":" in str(case) else str(case)
    return connect(f"{host}:80", _request(target, host))
