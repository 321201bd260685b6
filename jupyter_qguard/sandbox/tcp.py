"""Kernels that know TCP alone: which they may be, the ports they get in their network, and the bridge to them. Pure.

jupyter_client can talk to a kernel over sockets with a path, and the sandbox needs it: a kernel shares no network with the
server. ipykernel can too; of most others nobody knows.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.sandbox.companion import takes_companion

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

FIRST_PORT = 50001
"""Nothing but the gateway's listeners is in the network of a kernel that starts."""
_LOCAL = "127.0.0.1"


def may_need_tcp(argv: Sequence[str]) -> bool:
    """Whether the command of a kernelspec starts a kernel that may know no sockets with a path."""
    return not takes_companion(argv)


@dataclass(frozen=True, slots=True)
class Bridge:
    """Sockets with a path for clients, in the place of TCP ports of the kernel's own network."""

    stem: str
    """The sockets are at ``STEM-NUMBER``."""
    numbers: Mapping[str, int]
    """Name of a channel, as the connection file has it (``shell_port``), to the number of its socket."""
    ports: Mapping[str, int]
    """The same name to the port."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """For the program: *stem*, then ``NUMBER:PORT`` for each."""
        return (self.stem, *(f"{number}:{self.ports[name]}" for name, number in self.numbers.items()))

    def inside(self, connection: bytes) -> bytes:
        """The connection file as the kernel is to read it."""
        return json.dumps({**json.loads(connection), "transport": "tcp", "ip": _LOCAL, **self.ports}).encode()


def plan_bridge(stem: str, numbers: Mapping[str, int], taken: Collection[int]) -> Bridge:
    """A bridge to ports that no listener of the gateway has."""
    free = (port for port in itertools.count(FIRST_PORT) if port not in taken)
    return Bridge(stem, numbers, dict(zip(numbers, free, strict=False)))
