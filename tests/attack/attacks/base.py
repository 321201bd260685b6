"""What an attack is, what it is told, and how the judge will know."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Judge(enum.Enum):
    """What shows the judge that an attack got through."""

    PACKET = "packet"
    """A packet to an address or port that only this attack knows was seen in the network outside."""
    PAYLOAD = "payload"
    """The attack's nonce was seen in that network, in whatever packet."""
    QUESTION = "question"
    """The name service outside was asked for a name that holds the attack's nonce."""
    SECRET = "secret"
    """A value that only the judge knows is in what the attack brought back."""
    WRITTEN = "written"
    """The attack's nonce stands in a file outside."""
    ACCEPTED = "accepted"
    """A listener outside that is no network address accepted the attack."""
    HARMED = "harmed"
    """A process outside is dead, or has other limits."""
    METADATA = "metadata"
    """A packet to any metadata service was seen: no other attack may cause one either."""
    SMUGGLED = "smuggled"
    """A server outside took what the attack sent for a request of its own that holds the nonce."""
    SURFACE = "surface"
    """The operating system did more than to refuse the call out of hand: the attack tells the error number."""
    PEER = "peer"
    """Another kernel's allowed request did not get through while the attack was on."""


@dataclass(frozen=True)
class World:
    """What all attacks are told: an attacker knows the house."""

    vendor: str
    """A host that the policy allows at port 443."""
    plain: str
    """A host that the policy allows without TLS at port 80."""
    wild: str
    """`*.` of it is allowed at port 443."""
    denied: str
    """`*.` of it is denied, though it lies below *wild*."""
    evil: str
    """Nothing below it is allowed; all of it is the attacker's."""
    resolver: str
    """Address of a name service outside."""
    home: str
    workspace: str
    package: str
    """Folder of the guard's package."""
    prefix: str
    """Folder of the environment that the server runs from."""
    runtime: str
    """Jupyter's folder of connection files and tokens."""
    decoy: int
    """Process outside, of the same user."""
    server: int
    """Process outside that started the kernels."""
    rest: int
    """Port of a Jupyter server on 127.0.0.1."""
    sockets: dict[str, str]
    """Path or abstract name of listeners outside, by what they stand for."""
    segment: int
    """System V shared memory outside."""
    queue: int
    """System V message queue outside."""
    peer: dict[str, object]
    """Connection of another kernel."""


@dataclass(frozen=True)
class Target:
    """What one attack is told: addresses, a name and a nonce that no other attack has."""

    number: int
    nonce: str
    world: World
    path: str = ""
    """What it is to write or read, where that is one file."""

    def at(self, network: str) -> str:
        """The attack's address below the two numbers of *network*."""
        return f"{network}.{self.number >> 8}.{self.number & 255}"

    @property
    def public(self) -> str:
        """IPv4, somewhere outside."""
        return self.at("44.66")

    @property
    def public6(self) -> str:
        """IPv6, somewhere outside."""
        return f"2a10:66::{self.number + 16:x}"

    @property
    def local(self) -> str:
        """Loopback of the machine."""
        return self.at("127.166")

    @property
    def port(self) -> int:
        """Port of a service on the machine."""
        return 20000 + self.number

    @property
    def name(self) -> str:
        """Leads to :attr:`public`."""
        return f"a{self.number}.{self.world.evil}"

    @property
    def wild(self) -> str:
        """Allowed, and leads to :attr:`public`."""
        return f"a{self.number}.{self.world.wild}"

    @property
    def addresses(self) -> frozenset[str]:
        """Where no packet of this attack may be seen."""
        networks = ("44.66", "127.166", "10.66", "100.66", "169.254", "172.16", "192.168", "198.18", "224.66")
        mapped = {f"::ffff:{self.at(network)}" for network in networks}
        return frozenset(
            {self.at(network) for network in networks} | mapped | {self.public6, f"fd00:66::{self.number + 16:x}"}
        )


@dataclass(frozen=True)
class Attack:
    """One attempt."""

    name: str
    group: str
    title: str
    judge: Judge
    run: Callable[[Target], object]
    residual: bool
    """The guard does not claim to stop it: shown, and not counted."""
    path: str
    alone: bool
    """Not beside others, since it loads what they need."""
    seconds: float
    secret: str
    """Which of the judge's values it is after; any of them where empty."""


ATTACKS: list[Attack] = []


def attack(
    judge: Judge,
    title: str,
    *,
    residual: bool = False,
    path: str = "",
    alone: bool = False,
    seconds: float = 4,
    secret: str = "",
) -> Callable[[Callable[[Target], object]], Callable[[Target], object]]:
    """Add a function to the list."""

    def add(run: Callable[[Target], object]) -> Callable[[Target], object]:
        group = run.__module__.rpartition(".")[2]
        name = f"{group}.{getattr(run, '__name__', title)}"
        assert name not in {each.name for each in ATTACKS}, name
        ATTACKS.append(Attack(name, group, title, judge, run, residual, path, alone, seconds, secret))
        return run

    return add


def each(
    judge: Judge, title: str, cases: dict[str, object], **more: object
) -> Callable[[Callable[[Target, object], object]], Callable[[Target, object], object]]:
    """Add a function once for each of *cases*."""

    def add(run: Callable[[Target, object], object]) -> Callable[[Target, object], object]:
        for label, case in cases.items():

            def one(target: Target, case: object = case) -> object:
                return run(target, case)

            one.__name__ = f"{run.__name__}.{label}"
            one.__module__ = run.__module__
            told = {
                key: value.replace("{case}", str(case)) if isinstance(value, str) else value
                for key, value in more.items()
            }
            attack(judge, f"{title}: {label}", **told)(one)  # type: ignore[arg-type]
        return run

    return add


def errno_of(result: int, number: int) -> int:
    """The error number of a system call, 0 if it went well."""
    return 0 if result >= 0 else number


def proxy() -> tuple[str, int]:
    """Where the kernel's own variables say that the proxy is."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        value = os.environ.get(name, "")
        if value:
            host, _, port = value.partition("://")[2].strip("/").rpartition("@")[2].rpartition(":")
            return host.strip("[]"), int(port)
    text = "no proxy is set"
    raise LookupError(text)


def resolver() -> str:
    """Where the kernel's own configuration says that the name service is."""
    with open("/etc/resolv.conf", encoding="utf-8") as lines:
        return next(line.split()[1] for line in lines if line.startswith("nameserver"))
