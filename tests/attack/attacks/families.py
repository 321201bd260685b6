"""Sockets of families that a network namespace does not hold, or that only widen what can be attacked."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from contextlib import closing

from .base import Judge, Target, attack, each

_FAMILIES: dict[str, object] = {
    "vsock": (40, socket.SOCK_STREAM, 0),
    "vsock datagrams": (40, socket.SOCK_DGRAM, 0),
    "alg": (38, socket.SOCK_SEQPACKET, 0),
    "xdp": (44, socket.SOCK_RAW, 0),
    "bluetooth": (31, socket.SOCK_SEQPACKET, 0),
    "packet": (17, socket.SOCK_RAW, 0),
    "tipc": (30, socket.SOCK_STREAM, 0),
    "rds": (21, socket.SOCK_SEQPACKET, 0),
    "smc": (43, socket.SOCK_STREAM, 0),
    "can": (29, socket.SOCK_RAW, 1),
    "kcm": (41, socket.SOCK_DGRAM, 0),
    "qipcrtr": (42, socket.SOCK_DGRAM, 0),
    "rxrpc": (33, socket.SOCK_DGRAM, 2),
    "key": (15, socket.SOCK_RAW, 2),
    "pppox": (24, socket.SOCK_STREAM, 0),
    "mctp": (45, socket.SOCK_DGRAM, 0),
}
_NO_SUCH_FAMILY = 97


@each(Judge.SURFACE, "socket of another family", _FAMILIES)
def family(_: Target, case: object) -> str:
    number, kind, protocol = case  # type: ignore[misc]
    try:
        socket.socket(number, kind, protocol).close()
    except OSError as problem:
        return f"errno {problem.errno}"
    return "errno 0"


@attack(Judge.SURFACE, "a pair of sockets of another family than unix")
def tipc_pair(_: Target) -> str:
    ends = (ctypes.c_int * 2)()
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.socketpair(30, socket.SOCK_STREAM, 0, ends)
    return f"errno {0 if done == 0 else ctypes.get_errno()}"


_NETLINK: dict[str, object] = {
    "packet filter (netfilter)": 12,
    "IPsec (xfrm)": 6,
    "kernel events (uevent)": 15,
    "audit": 9,
    "generic": 16,
    "socket tables (sock_diag)": 4,
    "connector": 11,
    "RDMA": 20,
}


@each(Judge.SURFACE, "netlink", _NETLINK)
def netlink(_: Target, case: object) -> str:
    try:
        with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, case)) as end:  # type: ignore[arg-type]
            end.bind((0, 0))
    except OSError as problem:
        return f"errno {problem.errno}"
    return "errno 0"


def _ask_route(kind: int, flags: int, body: bytes) -> str:
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)) as end:
        end.settimeout(1)
        end.sendto(struct.pack("=IHHII", 16 + len(body), kind, 5 | flags, 1, 0) + body, (0, 0))
        answer = end.recv(4096)
        return f"errno {-struct.unpack_from('=i', answer, 16)[0]}"


@attack(Judge.SURFACE, "netlink route: take the loopback device down and up")
def link_down(_: Target) -> str:
    # Flags as they are: nothing changes, but whoever may do it could.
    return _ask_route(16, 0, struct.pack("=BxHiII", 0, 0, 1, 1, 1))


@attack(Judge.SURFACE, "netlink route: a new route")
def route(target: Target) -> str:
    to = struct.pack("=HH4s", 8, 1, socket.inet_aton(target.at("10.66"))) + struct.pack("=HHI", 8, 4, 1)
    return _ask_route(24, 0x400, struct.pack("=BBBBBBBBI", 2, 32, 0, 0, 254, 3, 253, 1, 0) + to)


@attack(Judge.SURFACE, "netlink route: a pair of devices, one of them in the network of process 1")
def veth(target: Target) -> str:
    def field(kind: int, data: bytes) -> bytes:
        return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)

    peer = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + field(19, struct.pack("=I", 1))
    info = field(18, field(1, b"veth\0") + field(2, field(1, peer)))
    answer = _ask_route(16, 0x600, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + field(3, b"a%d\0" % target.number) + info)
    if answer == "errno 0":
        _ask_route(17, 0, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + field(3, b"a%d\0" % target.number))
    return answer


@attack(Judge.SURFACE, "an InfiniBand, TUN or vhost device")
def devices(_: Target) -> str:
    found = []
    for name in (
        "net/tun",
        "infiniband/uverbs0",
        "vhost-net",
        "vhost-vsock",
        "vfio/vfio",
        "kvm",
        "fuse",
        "mem",
        "vda",
        "sda",
        "nvme0n1",
    ):
        try:
            os.close(os.open(f"/dev/{name}", os.O_RDWR))
            found.append(name)
        except OSError:
            pass
    return f"errno {0 if found else 38}: {found}"
