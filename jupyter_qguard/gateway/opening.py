"""TLS on both sides of a brokered connection: to the kernel with its own authority, to the vendor as any client."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING

from jupyter_qguard.egress.waiting import Deadline
from jupyter_qguard.gateway.brokered import BrokeredConnection
from jupyter_qguard.gateway.operations import OperationRecords
from jupyter_qguard.gateway.secure import SecureStream

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from jupyter_qguard.broker.refusal import RequestRefusedError
    from jupyter_qguard.gateway.kernel import Kernel
    from jupyter_qguard.policy.destination import Destination

_PROTOCOLS = ("http/1.1",)


async def serve_brokered(
    client: socket.socket,
    received: bytes,
    kernel: Kernel,
    asked: Destination,
    reach: Callable[[], Awaitable[socket.socket]],
) -> None:
    """Serve the requests that come over *client*, which has said *received*. Raises OSError if it goes.

    *reach* connects to the vendor once more, by the same rules as the first time.
    """
    assert kernel.authority is not None  # noqa: S101 - the passage looked
    host, means = asked.host.name, kernel.means
    stream = SecureStream(client, kernel.authority.context(host, _PROTOCOLS), received=received)
    try:
        with Deadline(kernel.limits.first_words_seconds):
            await stream.handshake()
    except (ssl.SSLError, TimeoutError):
        kernel.note(host, asked.port, f"the client did not take the guard's certificate for `{host}`", "")
        return

    async def vendor() -> SecureStream:
        context = _trust(means.rulings.policy.egress.ca_bundle)
        return SecureStream(await reach(), context, server_name=host)

    def tell(refusal: RequestRefusedError) -> None:
        kernel.tell(host, asked.port, refusal.reason, refusal.cause.value)

    connection = BrokeredConnection(
        stream,
        lambda: means.rulings.place(kernel.who.kernel, asked),
        broker=means.broker,
        reach=vendor,
        records=OperationRecords(kernel),
        tell=tell,
    )
    await connection.run()
    await stream.close()


@lru_cache(maxsize=4)
def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    """What vendors' certificates are checked against: the policy's bundle, else `SSL_CERT_FILE`, else the system's."""
    context = ssl.create_default_context(cafile=ca_bundle)
    context.set_alpn_protocols(list(_PROTOCOLS))
    return context
