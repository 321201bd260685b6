"""What the gateway and its owner say to each other, and how it travels: one JSON message a packet, descriptors beside it.

The way is an inherited ``SOCK_SEQPACKET`` pair: no path leads to it, so that nothing can claim, find or steal it, and
its end is how each side learns that the other is gone. Only the owner (the Jupyter server, ``jupyter execute``, …) and
the gateway hold an end; no kernel does.
"""

from __future__ import annotations

import array
import enum
import os
import socket
from typing import TYPE_CHECKING, TypeVar

import msgspec

from jupyter_qguard.audit.event import IdentityKind
from jupyter_qguard.errors import GuardFailureError, InputError
from jupyter_qguard.policy.model import Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PACKET = 64 * 1024
"""Bytes; a third of what Linux gives a socket by default."""
MAX_DESCRIPTORS = 64
"""In one packet; Linux takes 253 (``SCM_MAX_FD``)."""
NAMES_IN_A_PACKET = 200
"""Names of at most 253 characters, so that they fit into one."""


class DoorKind(enum.Enum):
    """What is spoken at a descriptor of a kernel: of a listener made inside its network, but for the last one."""

    PROXY = "proxy"
    """HTTP proxy, TCP."""
    DIRECT = "direct"
    """Whatever the client speaks, TCP: the local address says which name was meant."""
    NAMES = "names"
    """Name service, UDP."""
    NAMES_STREAM = "names_stream"
    """Name service, TCP."""
    CONTROL = "control"
    """No listener: the gateway's end of a pair, over which the guard's part inside of the kernel asks."""


class Door(msgspec.Struct, frozen=True):
    """A listener, or the control channel; its descriptor travels beside the message."""

    kind: DoorKind
    port: int = 0
    """What clients inside connect to; 0 for the control channel."""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """First message to a gateway: in whose name it acts. Answered by :class:`Ready`, or the gateway ends."""

    user: str
    kind: IdentityKind = IdentityKind.PERSON
    groups: tuple[str, ...] = ()


class Recall(msgspec.Struct, frozen=True, kw_only=True, tag="recall"):
    """Names that a kernel learned from a gateway before this one, in their order. Before its :class:`OpenDoors`."""

    kernel: str
    names: tuple[str, ...]


class OpenDoors(msgspec.Struct, frozen=True, kw_only=True, tag="open"):
    """Serve the listeners of a kernel; one descriptor a door, in their order."""

    request: int
    kernel: str
    doors: tuple[Door, ...]
    notebook: str = ""
    """As claimed; recorded, never a ground for anything."""
    authority: str = ""
    """Key and certificate that a gateway before this one made for the kernel (PEM)."""
    credential: str = ""
    """Digest of the password that a client must show; empty where nobody but the kernel reaches the doors."""
    tier: Tier = Tier.COOPERATIVE
    """How the kernel is confined, once it runs."""


class CloseDoors(msgspec.Struct, frozen=True, kw_only=True, tag="close"):
    """A kernel has ended: close its listeners and connections."""

    request: int
    kernel: str


class RecordStart(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """Record that a kernel is about to run, and how it is confined. It must not run before the answer."""

    request: int
    kernel: str
    kernelspec: str
    tier: Tier
    enforced: tuple[str, ...] = ()
    notebook: str = ""


class RecordFailure(msgspec.Struct, frozen=True, kw_only=True, tag="failure"):
    """Record that a kernel was not started, or what else failed."""

    request: int
    kernel: str
    part: str
    code: str
    detail: str = ""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The gateway has the policy and the audit log."""

    pid: int
    notices: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """What was asked is done."""

    request: int


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """What was asked is not done."""

    request: int
    reason: str


class Vouched(msgspec.Struct, frozen=True, kw_only=True, tag="vouched"):
    """A kernel's own authority was made: to be kept for the gateway after this one. Before the doors are done."""

    kernel: str
    authority: str
    """Key and certificate (PEM). The certificate is for the kernel, the key goes nowhere."""


class Learned(msgspec.Struct, frozen=True, kw_only=True, tag="learned"):
    """A kernel was told an address for one more name: to be kept for the gateway after this one."""

    kernel: str
    name: str


class Began(msgspec.Struct, frozen=True, kw_only=True, tag="began"):
    """The guard's part inside of a kernel has said its first word: from now on the kernel runs what people write."""

    kernel: str


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """A connection was refused: for the person at the notebook. The record is in the audit log already."""

    kernel: str
    host: str
    port: int
    reason: str
    rule: str = ""


class PolicyChanged(msgspec.Struct, frozen=True, kw_only=True, tag="policy"):
    """Another policy is in force, or an edit was not taken."""

    notices: tuple[str, ...]
    ports: tuple[int, ...] = ()
    """All that it names: a kernel without a listener for one needs a restart."""


ToGateway = Welcome | Recall | OpenDoors | CloseDoors | RecordStart | RecordFailure
ToOwner = Ready | Done | Failed | Vouched | Learned | Began | Refused | PolicyChanged

M = TypeVar("M")


def make_pair() -> tuple[socket.socket, socket.socket]:
    """The two ends, owner's first; neither is inherited unless it is passed on."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send_message(end: socket.socket, message: ToGateway | ToOwner, descriptors: Sequence[int] = ()) -> None:
    """Send *message*, and duplicates of *descriptors* beside it.

    Raises
    ------
    GuardFailureError
        It is too large for a packet.
    OSError
        The other side is gone, or (an end that does not block) nothing more fits.
    """
    packet = msgspec.json.encode(message)
    if len(packet) > MAX_PACKET or len(descriptors) > MAX_DESCRIPTORS:
        text = "a message between gateway and owner is too large"
        raise GuardFailureError(text)
    beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    end.sendmsg([packet], beside)


def receive_message(end: socket.socket, decoder: msgspec.json.Decoder[M]) -> tuple[M, list[int]]:
    """The next message and the descriptors beside it, which are the caller's to close.

    Raises
    ------
    EOFError
        The other side is gone.
    InputError
        The packet is no message; descriptors beside it are closed.
    """
    room = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    packet, beside, flags, _ = end.recvmsg(MAX_PACKET, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if not packet:
        _close(descriptors)
        raise EOFError
    if not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        try:
            return decoder.decode(packet), list(descriptors)
        except msgspec.MsgspecError:
            pass
    _close(descriptors)
    text = "a message between gateway and owner was cut off or cannot be read"
    raise InputError(text)


def _close(descriptors: array.array[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
