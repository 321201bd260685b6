"""Name service inside a kernel's network: an address of its own for each allowed name, a refusal for all others.

No question ever leaves the machine, so that names carry nothing out. The addresses lie in 127.64.0.0/10, all of which is
the kernel's own loopback: a connection to one arrives at our listener, and the address says which name was meant. None
is given to a second name in the life of the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.policy.host import HostError, normalise_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jupyter_qguard.policy.host import Host

POOL = IPv4Network("127.64.0.0/10")
MAX_NAMES = 4096
"""Names a kernel may learn: more than any notebook needs, and little memory where a wildcard is walked through."""
MAX_QUESTION = 512
"""Bytes of a question; more is no question for one name (RFC 1035, section 2.3.4)."""
_TTL_SECONDS = 60
_HEADER = 12
_A, _IN = 1, 1
_RESPONSE, _OPCODE, _TRUNCATED, _RECURSION = 0x8000, 0x7800, 0x0200, 0x0100
_AVAILABLE = 0x0080
_NO_ERROR, _FORMAT, _FAILURE, _NOT_IMPLEMENTED, _REFUSED = 0, 1, 2, 4, 5


class NameTable:
    """The names of one kernel, and the address that each has."""

    def __init__(self) -> None:
        """Without any name."""
        self._addresses: dict[Host, IPv4Address] = {}
        self._hosts: dict[IPv4Address, Host] = {}

    def recall(self, names: Iterable[str]) -> None:
        """Learn *names* in this order: those of a table before this one get the addresses that they had.

        Raises
        ------
        HostError
            One of them is no name.
        """
        for name in names:
            self.address_of(normalise_host(name))

    def __len__(self) -> int:
        return len(self._addresses)

    def address_of(self, host: Host) -> IPv4Address | None:
        """The address of *host*, a new one if it has none; None if the table is full."""
        known = self._addresses.get(host)
        if known is not None:
            return known
        if len(self._addresses) >= MAX_NAMES:
            return None
        address = POOL[len(self._addresses) + 1]
        self._addresses[host] = address
        self._hosts[address] = host
        return address

    def host_at(self, address: str) -> Host | None:
        """The host that was told *address*; None if nobody was."""
        try:
            return self._hosts.get(IPv4Address(address))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the resolver in the kernel."""

    message: bytes
    refused: str = ""
    """The name that was refused, for the record; empty if none was."""
    learned: str = ""
    """The name, where this is the first answer that gives its address."""


@dataclass(frozen=True, slots=True)
class _Question:
    head: bytes
    name: str
    kind: int
    section: bytes
    """The question as it came, to be repeated in the answer."""


def answer_question(message: bytes, table: NameTable, allowed: Callable[[Host], bool]) -> Answer:
    """The answer to the DNS question *message*.

    Raises
    ------
    WireError
        It is no question, and nothing is answered.
    """
    question = _parse(message)
    if question.kind < 0:
        return Answer(_reply(question, _FORMAT if question.section == b"" else _NOT_IMPLEMENTED))
    try:
        host = normalise_host(question.name)
    except HostError:
        return Answer(_reply(question, _REFUSED), "a name that is no host")
    if host.address is not None or not allowed(host):
        return Answer(_reply(question, _REFUSED), host.name)
    if question.kind != _A:
        return Answer(_reply(question, _NO_ERROR))
    known = len(table)
    address = table.address_of(host)
    if address is None:
        return Answer(_reply(question, _FAILURE), host.name)
    record = b"\xc0\x0c" + b"".join(
        number.to_bytes(size, "big") for number, size in ((_A, 2), (_IN, 2), (_TTL_SECONDS, 4), (4, 2))
    )
    learned = host.name if len(table) > known else ""
    return Answer(_reply(question, _NO_ERROR, record + address.packed), learned=learned)


def _parse(message: bytes) -> _Question:
    if not _HEADER <= len(message) <= MAX_QUESTION:
        problem = "not a DNS question"
        raise WireError(problem)
    flags = int.from_bytes(message[2:4], "big")
    if flags & _RESPONSE:
        problem = "an answer, not a question"
        raise WireError(problem)
    head = message[:4]
    counts = [int.from_bytes(message[at : at + 2], "big") for at in (4, 6, 8, 10)]
    if flags & (_OPCODE | _TRUNCATED) or counts[0] != 1 or counts[1] or counts[2]:
        return _Question(head, "", -1, b"")
    labels, at = [], _HEADER
    while True:
        length = message[at] if at < len(message) else 64
        at += 1
        if length == 0:
            break
        if length > 63 or at + length > len(message):
            return _Question(head, "", -1, b"")
        labels.append(message[at : at + length])
        at += length
    if at + 4 > len(message):
        return _Question(head, "", -1, b"")
    kind, of = (int.from_bytes(message[at + step : at + step + 2], "big") for step in (0, 2))
    section = message[_HEADER : at + 4]
    # A dot inside a label would make another name of it than the one that was asked for.
    if of != _IN or any(b"." in label or not label.isascii() for label in labels):
        return _Question(head, "", -1, section)
    return _Question(head, b".".join(labels).decode("ascii"), kind, section)


def _reply(question: _Question, code: int, record: bytes = b"") -> bytes:
    asked = int.from_bytes(question.head[2:4], "big") & (_OPCODE | _RECURSION)
    flags = _RESPONSE | _AVAILABLE | asked | code
    counts = (1 if question.section else 0, 1 if record else 0, 0, 0)
    numbers = b"".join(number.to_bytes(2, "big") for number in (flags, *counts))
    return question.head[:2] + numbers + question.section + record
