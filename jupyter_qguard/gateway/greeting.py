"""Whether a client's first words inside a tunnel name the host that the tunnel leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.hello import ClientHello, parse_hello
from jupyter_qguard.egress.waiting import Deadline
from jupyter_qguard.policy.host import Host, HostError, normalise_host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def greeting_problem(
    read: Callable[[Callable[[bytes], ClientHello | None]], Awaitable[ClientHello]], host: Host, seconds: float
) -> str:
    """What is wrong with how the client that *read* reads from begins to speak to *host*; empty if nothing is.

    Names in it are not repeated. Raises OSError if the client goes.
    """
    try:
        with Deadline(seconds):
            hello = await read(parse_hello)
    except WireError as error:
        return f"`{host}` must be spoken to with TLS: {error}"
    except TimeoutError:
        return f"`{host}` must be spoken to with TLS: no greeting came within {seconds:g} s"
    if not hello.server_name:
        return "" if host.address is not None else f"the TLS greeting does not name `{host}`"
    try:
        named = normalise_host(hello.server_name)
    except HostError:
        named = None
    return "" if named == host else f"the TLS greeting names another host than `{host}`"
