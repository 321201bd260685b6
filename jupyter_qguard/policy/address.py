"""Which resolved addresses may be dialled: a name on the allowlist must not lead into the machine or the local network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's special-purpose registries (RFC 6890), and the metadata services of clouds. Written out because what
# ``ipaddress`` calls global differs from one release of Python to the next.
_NOT_PUBLIC: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this host"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "private (carrier NAT, metadata of some clouds)"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a metadata service"),
    ("169.254.0.0/16", "link-local (metadata services)"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "reserved"),
    ("198.51.100.0/24", "reserved"),
    ("203.0.113.0/24", "reserved"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "this host"),
    ("::1/128", "loopback"),
    ("64:ff9b::/96", "a translation of an IPv4 address"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "reserved"),
    ("2002::/16", "a translation of an IPv4 address"),
    ("3fff::/20", "reserved"),
)


def _network(text: str) -> Network:
    return IPv6Network(text) if ":" in text else IPv4Network(text)


_SPECIAL = tuple((_network(text), kind) for text, kind in _NOT_PUBLIC)
_GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is assigned to the public internet; every other IPv6 address is special or nobody's."""


def parse_address(text: str) -> Address:
    """The address that *text* spells, an IPv4 address in IPv6 clothing taken for what is dialled.

    Raises
    ------
    ValueError
        It spells none.
    """
    return bare(ip_address(text))


def bare(address: Address) -> Address:
    """*address*, or the IPv4 address that it is only another spelling of."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def address_problem(address: Address, accepted: Sequence[Network] = ()) -> str:
    """Why *address* may not be dialled; empty if it may.

    *accepted* are the ``addresses`` of the entry that allows the host: with them only these, without them only public
    ones.
    """
    address = bare(address)
    if accepted:
        if any(address in network for network in accepted):
            return ""
        return f"{address} is not among the `addresses` of the entry"
    for network, kind in _SPECIAL:
        if address in network:
            return f"{address} is {kind}: an entry with `addresses` would have to name it"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return f"{address} is not a public address"
    return ""
