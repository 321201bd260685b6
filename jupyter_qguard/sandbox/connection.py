"""How front ends and a kernel find each other: sockets with a path, and the file that tells the kernel of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_client.connect import port_names

from jupyter_qguard.sandbox.errors import SandboxUnavailableError
from jupyter_qguard.sandbox.tcp import Bridge, may_need_tcp, plan_bridge

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from jupyter_client.manager import KernelManager


def use_sockets(manager: KernelManager, folder: Path) -> None:
    """Have the front ends of *manager* look for its kernel in *folder*: it shares no network with them."""
    manager.cache_ports = False
    manager.transport = "ipc"
    manager.ip = str(folder / "k")


def use_tcp(manager: KernelManager, argv: Sequence[str]) -> bool:
    """Undo :func:`use_sockets` for a kernel that is not confined after all and may know TCP alone; whether it was needed."""
    if manager.transport == "tcp" or not may_need_tcp(argv):
        return False
    manager.cleanup_connection_file()
    manager.transport, manager.ip = "tcp", "127.0.0.1"
    for name in port_names:
        setattr(manager, name, 0)
    manager.write_connection_file()
    return True


def bridge_for(manager: KernelManager, argv: Sequence[str], taken: Collection[int]) -> Bridge | None:
    """From the sockets of the connection file to ports that are not *taken*; None for a kernel that knows such sockets.

    Raises
    ------
    SandboxUnavailableError
        The front ends talk to the kernel over TCP since :func:`use_tcp`, which lasts until it is shut down.
    """
    if manager.transport == "tcp":
        raise SandboxUnavailableError(
            "this kernel was started unconfined, and its front ends are connected in a way that a confined one does not "
            "know: shut it down, and start it anew instead of restarting it"
        )
    numbers = {name: int(getattr(manager, name)) for name in port_names}
    return plan_bridge(manager.ip, numbers, taken) if may_need_tcp(argv) else None


def with_private_file(cmd: Sequence[str], public: str, folder: Path, bridge: Bridge | None) -> list[str]:
    """The command with a copy in *folder* of the connection file, as the runtime folder is hidden from the kernel."""
    public = os.path.realpath(public)
    private = folder / "kernel.json"
    private.unlink(missing_ok=True)  # whatever the kernel before has put there: a link must not be followed
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        known = Path(public).read_bytes()
        file.write(bridge.inside(known) if bridge else known)
    return [word.replace(public, str(private)) for word in cmd]
