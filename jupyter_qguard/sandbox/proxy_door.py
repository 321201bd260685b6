"""The proxy of a kernel without a network of its own: a port that every process reaches, and a password that it has."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.egress.credential import authorization, digest_of, new_password, proxy_url
from jupyter_qguard.gateway.control import Door, DoorKind, OpenDoors
from jupyter_qguard.sandbox.launch import PATIENCE

if TYPE_CHECKING:
    from jupyter_qguard.policy.model import Tier
    from jupyter_qguard.sandbox.owner import Owner


@dataclass(frozen=True, slots=True)
class ProxyDoor:
    """A listener that the gateway serves for one kernel."""

    port: int
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """What the kernel's proxy variables say."""
        return proxy_url(self.port, self.password)

    def ping(self, *, with_password: bool) -> bytes:
        """What asks whether the proxy is there, and knows who asks."""
        shown = b"Proxy-Authorization: %s\r\n" % authorization(self.password) if with_password else b""
        return b"OPTIONS * HTTP/1.1\r\nHost: qguard\r\n%s\r\n" % shown


def open_proxy_door(owner: Owner, kernel: str, tier: Tier, notebook: str, channel: socket.socket | None) -> ProxyDoor:
    """Make the listener and have the gateway serve it, and *channel*; until :meth:`.Owner.close_doors` for *kernel*.

    Raises
    ------
    GatewayError
        The gateway did not take it.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        door = ProxyDoor(listener.getsockname()[1], new_password())
        doors = (Door(DoorKind.PROXY, door.port), *((Door(DoorKind.CONTROL),) if channel else ()))
        ends = [listener.fileno(), *([channel.fileno()] if channel else ())]
        opened = OpenDoors(
            request=0,
            kernel=kernel,
            doors=doors,
            notebook=notebook,
            tier=tier,
            credential=digest_of(door.password),
        )
        owner.open_doors(opened, ends).result(PATIENCE)
    return door
