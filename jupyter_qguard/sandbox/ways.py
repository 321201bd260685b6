"""Which ways out a kernel tries where the network of its pod must stop it. Pure.

A refusal proves nothing where nobody would have answered. So each address here is one that answers everybody who gets
there: the pod's own name servers, the cluster's interface, services of clouds, and name services of the whole Internet.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from jupyter_qguard.policy.egress import EgressAction, decide_egress
from jupyter_qguard.policy.host import normalise_host

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from jupyter_qguard.policy import Policy

Way = tuple[str, str, int, bytes]
"""Purpose, address, port, and what to say there: as ``pod.py`` takes them."""
PUBLIC = ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888")
"""Name services of Cloudflare and Google, which speak HTTPS too."""
METADATA = ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
"""AWS, Azure, Google, DigitalOcean and others; AWS's containers; Alibaba; Azure; Oracle; AWS over IPv6."""
OUTSIDE = ("example.com", "example.net", "example.org")
"""Hosts that exist and that nobody needs (RFC 2606)."""
_QUESTION = bytes.fromhex("71670100000100000000000007") + b"example\x03com\x00\x00\x01\x00\x01"
"""For the address of ``example.com``."""


def direct_ways(resolv_conf: str, environ: Mapping[str, str]) -> Iterator[Way]:
    """Ways past every proxy; *resolv_conf* is the text of the file."""
    servers = list(name_servers(resolv_conf))
    # A service of the pod itself is no way out by itself; what it answers can be.
    yield from (("names", host, 53, _QUESTION) for host in dict.fromkeys((*servers, *PUBLIC)))
    yield from (("tcp", host, 53, b"") for host in servers if not ipaddress.ip_address(host).is_loopback)
    yield from (("tcp", host, 443, b"") for host in PUBLIC)
    yield from (("metadata", host, 80, b"") for host in METADATA)
    cluster, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if _is_address(cluster) and port.isdigit():
        yield "tcp", cluster, int(port), b""


def proxy_ways(
    door: int, ping: bytes, authorized_ping: bytes, platform: Iterable[tuple[str, int]], host: str
) -> Iterator[Way]:
    """The kernel's own proxy at port *door*, and the one outside, asked for *host* past the kernel's."""
    yield "proxy", "127.0.0.1", door, authorized_ping
    yield "proxy_without_password", "127.0.0.1", door, ping
    request = f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode("ascii")
    yield from (("platform_proxy", address, port, request) for address, port in platform)


def name_servers(resolv_conf: str) -> Iterator[str]:
    """Addresses of the pod's name servers."""
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and _is_address(address := words[1].partition("%")[0]):
            yield address


def unnamed_host(policy: Policy, today: dt.date) -> str:
    """A host that *policy* does not allow, if there is one among :data:`OUTSIDE`."""
    for name in OUTSIDE:
        if decide_egress(policy, normalise_host(name), 443, today=today).action is EgressAction.REFUSE:
            return name
    return OUTSIDE[0]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
