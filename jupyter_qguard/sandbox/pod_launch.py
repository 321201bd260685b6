"""Starts one kernel in tier *platform*: no namespaces, but a network of the pod's that lets it out to a proxy alone.

Listener, gateway, ``pod.py``, probe, judgement, record, kernel. Blocking, to be called in a thread.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.egress.dial import UnreachableError, UpstreamProxy
from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.bait import CAPABILITIES
from jupyter_qguard.sandbox.environment import proxy_variables
from jupyter_qguard.sandbox.errors import MachineError, SandboxUnavailableError
from jupyter_qguard.sandbox.launch import (
    Launched,
    Start,
    descriptor,
    end,
    judge,
    pair,
    program_of,
    record_and_run,
    start_program,
)
from jupyter_qguard.sandbox.layout import kind_of
from jupyter_qguard.sandbox.mounts import OWN_AT_HOME, writable_places
from jupyter_qguard.sandbox.output import RawOutput
from jupyter_qguard.sandbox.places import places_of
from jupyter_qguard.sandbox.programs import python_command
from jupyter_qguard.sandbox.proxy_door import open_proxy_door
from jupyter_qguard.sandbox.seccomp import filter_program
from jupyter_qguard.sandbox.ways import direct_ways, proxy_ways, unnamed_host

if TYPE_CHECKING:
    from typing import Any

    from jupyter_qguard.policy import Policy
    from jupyter_qguard.sandbox.lasting import LastingThread
    from jupyter_qguard.sandbox.launch import Pair
    from jupyter_qguard.sandbox.owner import Owner
    from jupyter_qguard.sandbox.proxy_door import ProxyDoor

_RESOLV_CONF = Path("/etc/resolv.conf")
_OWN = {".ipython": "IPYTHONDIR", ".config/matplotlib": "MPLCONFIGDIR"}
"""Folder of :data:`.OWN_AT_HOME` to the variable that says where it is."""


def launch_in_pod(start: Start, policy: Policy, owner: Owner, starter: LastingThread) -> Launched:
    """Start a kernel in tier *platform*.

    Raises
    ------
    SandboxUnavailableError
        The network does not confine it, or this machine does not give what else the tier needs.
    CanaryError
        Something else that must be refused was not.
    GatewayError
        The gateway did not take the kernel.
    """
    platform = _platform_proxy(policy)
    try:
        program = filter_program(os.uname().machine)
    except MachineError as error:
        raise SandboxUnavailableError(str(error)) from error
    writable = [(str(path), entries) for path, entries in writable_places(start.layout, kind_of)]
    with contextlib.ExitStack() as stack:
        stack.callback(owner.close_doors, start.kernel)
        talk = pair(stack, socket.SOCK_SEQPACKET) if start.library else None
        door = open_proxy_door(owner, start.kernel, Tier.PLATFORM, start.notebook, talk[0] if talk else None)
        if start.trust is not None:
            start.trust.write(owner.certificate(start.kernel))
        probe, inside = pair(stack, socket.SOCK_STREAM)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        command = [*python_command("pod.py", inside.fileno()), *python_command("probe.py", inside.fileno())]
        output = RawOutput()
        try:
            process = starter.call(lambda: start_program(command, (inside.fileno(), *descriptor(talk)), output))
        finally:
            output.close_writer()
        stack.callback(end, process)
        inside.close()
        confined = {"filter": program, "writable": writable, "ways": _ways(policy, door, platform)}
        orders = [confined, _orders(start, door, writable, talk)]
        leader, held = judge(probe, orders, output, caught=lambda: False)
        launched = Launched(process=process, leader=leader, tier=Tier.PLATFORM, enforced=held, output=output)
        record_and_run(start, owner, probe, launched)
        probe.close()
        for each in talk or ():
            each.close()  # the owner keeps the gateway's, the kernel has its own
        stack.pop_all()
    return launched


def _platform_proxy(policy: Policy) -> list[tuple[str, int]]:
    """The addresses of the proxy outside of the pod."""
    url = policy.egress.upstream_proxy
    if url is None:
        raise SandboxUnavailableError(
            "tier platform needs a proxy outside of the pod: name it in the policy's `egress.upstream_proxy`"
        )
    try:
        proxy = UpstreamProxy.parse(url)
        found = socket.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    except (UnreachableError, OSError):
        raise SandboxUnavailableError(
            "the proxy of `egress.upstream_proxy` cannot be looked up: name it by its address, as no name service may "
            "be reached from the pod"
        ) from None
    return list(dict.fromkeys((str(address[0]), proxy.port) for *_, address in found))


def _ways(policy: Policy, door: ProxyDoor, platform: list[tuple[str, int]]) -> list[tuple[str, str, int, bytes]]:
    try:
        resolv_conf = _RESOLV_CONF.read_text("utf-8", "replace")
    except OSError:
        resolv_conf = ""
    host = unnamed_host(policy, dt.datetime.now(tz=dt.timezone.utc).date())
    pings = door.ping(with_password=False), door.ping(with_password=True)
    return [*proxy_ways(door.port, *pings, platform, host), *direct_ways(resolv_conf, os.environ)]


def _orders(start: Start, door: ProxyDoor, writable: list[tuple[str, bool]], talk: Pair | None) -> dict[str, Any]:
    """What the probe needs: of an ordinary user it is not asked to give up what it could only gain as root."""
    folders = [Path(path) for path, _ in writable]
    unwritable = [path for path in start.unwritable if path.is_dir() and not any(map(path.is_relative_to, folders))]
    given: dict[str, Any] = {
        "nonce": secrets.token_hex(16),
        "capabilities": CAPABILITIES if os.geteuid() == 0 else CAPABILITIES[:-1],
        "namespaces": {},
        "unwritable": [(str(path), path.stat().st_dev) for path in unwritable],
        "unreadable": [],
    }
    program = program_of(start, Tier.PLATFORM, talk)
    program["env"] |= {**proxy_variables(door.url), **_own_folders(start)}
    if start.layout.cache is not None:
        program["env"]["XDG_CACHE_HOME"] = str(start.layout.cache)
    return {**program, "cwd": start.cwd, "made": start.made, "canaries": given, "kept": descriptor(talk)}


def _own_folders(start: Start) -> dict[str, str]:
    """Variables that name folders that go with the kernel, with links to the user's settings.

    The real ones would be taken for writable by their mode, and IPython then dies of the refusal.
    """
    layout, named = start.layout, {}
    for name, variable in _OWN.items():
        *_, place = places_of(name, layout.home, layout.moved)
        real = Path(start.environment.get(variable, "") or place)
        made = Path(tempfile.mkdtemp(prefix="own-", dir=layout.connection_dir))
        named[variable] = str(made)
        for kept in OWN_AT_HOME[name]:
            if (real / kept).exists():
                (made / kept).parent.mkdir(exist_ok=True)
                (made / kept).symlink_to(real / kept)
    return named
