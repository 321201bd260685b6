"""Services of the machine itself, and unix sockets, which no network namespace holds unless they are abstract."""

from __future__ import annotations

import os
import socket
from contextlib import closing

from .base import Judge, Target, attack, each


def _tcp(host: str, port: int) -> str:
    with closing(socket.create_connection((host, port), 2)) as end:
        end.send(b"in")
    return "connected"


@attack(Judge.PACKET, "service on 127.0.0.1")
def loopback(target: Target) -> str:
    return _tcp("127.0.0.1", target.port)


@attack(Judge.PACKET, "service on another loopback address")
def loopback_other(target: Target) -> str:
    return _tcp(target.local, 443)


@attack(Judge.PACKET, "service on ::1")
def loopback6(target: Target) -> str:
    return _tcp("::1", target.port)


@attack(Judge.PACKET, "service on 0.0.0.0")
def unspecified(target: Target) -> str:
    return _tcp("0.0.0.0", target.port)


@attack(Judge.PACKET, "service on localhost by name")
def localhost(target: Target) -> str:
    return _tcp("localhost", target.port)


@attack(Judge.PACKET, "service on 127.0.0.1 by UDP")
def loopback_udp(target: Target) -> str:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        return str(end.sendto(b"in", ("127.0.0.1", target.port)))


@attack(Judge.PACKET, "service in the private network")
def private(target: Target) -> str:
    return _tcp(target.at("10.66"), 443)


@attack(Judge.PACKET, "service in the shared address space (100.64/10)")
def shared_space(target: Target) -> str:
    return _tcp(target.at("100.66"), 443)


_PATHS: dict[str, object] = {
    "in a temporary folder": "tmp",
    "an agent's in HOME": "agent",
    "the user's D-Bus": "bus",
    "system's D-Bus": "system_bus",
    "docker": "docker",
    "resolver (systemd)": "resolved",
    "name service cache": "nscd",
    "X11": "x11",
}


@each(Judge.ACCEPTED, "unix socket", _PATHS)
def path(target: Target, case: object) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.settimeout(2)
        end.connect(target.world.sockets[str(case)])
        end.send(target.nonce.encode())
    return "connected"


@attack(Judge.ACCEPTED, "unix socket by another path to it (/proc/self/root)")
def path_by_proc(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(f"/proc/self/root{target.world.sockets['agent']}")
        end.send(target.nonce.encode())
    return "connected"


@attack(Judge.ACCEPTED, "unix socket through a link in the workspace")
def path_by_link(target: Target) -> str:
    link = f"{target.world.workspace}/link{target.number}"
    os.symlink(target.world.sockets["agent"], link)
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(link)
        end.send(target.nonce.encode())
    return "connected"


@attack(Judge.ACCEPTED, "the agent that SSH_AUTH_SOCK names")
def agent_variable(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(os.environ["SSH_AUTH_SOCK"])
        end.send(target.nonce.encode())
    return "connected"


@attack(Judge.ACCEPTED, "unix datagrams to a path")
def datagram(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as end:
        return str(end.sendto(target.nonce.encode(), target.world.sockets["datagram"]))


@attack(Judge.ACCEPTED, "one of a pair of unix sockets, sent elsewhere")
def pair(target: Target) -> str:
    ours, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with closing(ours), closing(other):
        return str(ours.sendto(target.nonce.encode(), target.world.sockets["datagram"]))


@attack(Judge.ACCEPTED, "abstract unix socket")
def abstract(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect("\0" + target.world.sockets["abstract"])
        end.send(target.nonce.encode())
    return "connected"


@attack(Judge.ACCEPTED, "abstract unix socket, datagrams")
def abstract_datagram(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as end:
        return str(end.sendto(target.nonce.encode(), "\0" + target.world.sockets["abstract_datagram"]))


@attack(Judge.ACCEPTED, "every unix socket that /proc/net/unix lists and every one found in the file system")
def every(target: Target) -> str:
    with open("/proc/net/unix", encoding="utf-8") as lines:
        places = {line.split()[7] for line in lines if len(line.split()) > 7}
    for top in ("/run", "/tmp", "/var/run", "/dev/shm", target.world.home):
        for folder, _, names in os.walk(top):
            places.update(
                os.path.join(folder, name) for name in names if name.endswith((".sock", ".socket", "bus", "X0"))
            )
    said = []
    # That one of the workspace is shared is no secret: `residual`.
    for place in places - {target.world.sockets["workspace"]}:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            with closing(socket.socket(socket.AF_UNIX, kind)) as end:
                end.settimeout(0.3)
                try:
                    end.connect("\0" + place[1:] if place.startswith("@") else place)
                    end.send(target.nonce.encode())
                except OSError:
                    continue
                said.append(place)
    return f"connected to {said}"
