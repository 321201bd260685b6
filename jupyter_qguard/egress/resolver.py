"""From a name to the addresses that may be dialled: looked up once, checked, and nothing else is dialled.

The check comes after the look-up, on the very addresses that :mod:`~jupyter_qguard.egress.dial` gets: a name that leads
elsewhere the next time (rebinding) is judged anew, and there is no second look-up between check and connection.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jupyter_qguard.errors import OutsideError
from jupyter_qguard.policy.address import address_problem, parse_address
from jupyter_qguard.policy.host import normalise_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jupyter_qguard.policy.address import Address, Network
    from jupyter_qguard.policy.host import Host

LIMIT_SECONDS = 10.0
"""Two tries of the system's resolver at its default of 5 s."""
_KEPT_SECONDS = 20.0
"""``getaddrinfo`` does not tell how long an answer holds; clouds change theirs within a minute."""
_KEPT = 1024
_THREADS = 32
_AT_ONCE = 8
"""Look-ups of one kernel: names below a wildcard can be made slow by whoever answers for them."""


class NoAddressError(OutsideError):
    """A host has no address that may be dialled."""

    code = "no_address"

    def __init__(self, reason: str, *, forbidden: bool) -> None:
        """*forbidden*: it has addresses, and the policy takes none of them."""
        super().__init__(reason)
        self.forbidden = forbidden


def system_lookup(name: str) -> list[str]:
    """The addresses that the system's resolver has for *name*, in its order of preference. Blocks."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Resolver:
    """Looks names up in threads, each name once at a time, and keeps the answers for a few seconds."""

    def __init__(self, lookup: Callable[[str], Iterable[str]] = system_lookup) -> None:
        """*lookup* gives the addresses of a name, or raises OSError; it may block."""
        self._lookup = lookup
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="qguard-names")
        self._kept: dict[str, tuple[float, tuple[Address, ...]]] = {}
        self._running: dict[str, asyncio.Task[tuple[Address, ...]]] = {}

    def slots(self) -> asyncio.Semaphore:
        """What one kernel may use at once: to be made for each, and given to :meth:`acceptable`."""
        return asyncio.Semaphore(_AT_ONCE)

    async def acceptable(
        self, host: Host, accepted: Sequence[Network], slots: asyncio.Semaphore
    ) -> tuple[Address, ...]:
        """The addresses of *host* that may be dialled, where *accepted* are those that its entry names.

        Raises
        ------
        NoAddressError
            There is none.
        """
        found = (host.address,) if host.address is not None else await self._addresses(host.name, slots)
        problems = {address: address_problem(address, accepted) for address in found}
        good = tuple(address for address, problem in problems.items() if not problem)
        if not good:
            reason = f"`{host}` may not be reached: {next(iter(problems.values()))}"
            raise NoAddressError(reason, forbidden=True)
        return good

    async def unchecked(self, name: str, slots: asyncio.Semaphore) -> tuple[Address, ...]:
        """Every address of *name*: for hosts that the operator named, and no kernel.

        Raises
        ------
        NoAddressError
            There is none.
        """
        host = normalise_host(name)
        return (host.address,) if host.address is not None else await self._addresses(host.name, slots)

    def forget(self, host: Host) -> None:
        """None of the addresses of *host* answered: look it up anew the next time."""
        self._kept.pop(host.name, None)

    def close(self) -> None:
        """Give the threads back, as soon as they are through."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _addresses(self, name: str, slots: asyncio.Semaphore) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        since, addresses = self._kept.get(name, (0.0, ()))
        if addresses and loop.time() - since < _KEPT_SECONDS:
            return addresses
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = loop.create_task(self._look(name, slots))
            task.add_done_callback(lambda done: self._finished(name, done))
        try:
            # The thread goes on when the time is over, and keeps its slot: nobody can pile them up.
            return await asyncio.wait_for(asyncio.shield(task), LIMIT_SECONDS)
        except (asyncio.TimeoutError, TimeoutError):
            reason = f"the address of `{name}` was not found within {LIMIT_SECONDS:g} s"
            raise NoAddressError(reason, forbidden=False) from None

    async def _look(self, name: str, slots: asyncio.Semaphore) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        async with slots:
            try:
                texts = await loop.run_in_executor(self._pool, lambda: list(self._lookup(name)))
                # Each once, an IPv4 address in IPv6 clothing as what is dialled.
                addresses = tuple(dict.fromkeys(parse_address(text) for text in texts))
            except (OSError, UnicodeError, ValueError):
                addresses = ()
        if not addresses:
            reason = f"`{name}` has no address"
            raise NoAddressError(reason, forbidden=False)
        while len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = loop.time(), addresses
        return addresses

    def _finished(self, name: str, task: asyncio.Task[tuple[Address, ...]]) -> None:
        del self._running[name]
        if not task.cancelled():
            task.exception()  # whoever waited has it; that nobody waits any more is no error
