"""What the guard's part inside of a kernel may ask, and the packets of the answers: one JSON object each. Pure.

Whatever runs in a kernel holds the other end, so that a packet may be anything. Who asks is known by the descriptor that
it came over; nothing in a packet says so.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from jupyter_qguard.errors import InputError
from jupyter_qguard.gateway.control import MAX_PACKET

VERSION = 1
_LONGEST_HOST = 2048
"""Characters: a whole URL may be asked about."""
_LONGEST_NAME = 200


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op", tag="asked"):
    """Base of every request."""

    v: Literal[1]
    id: Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)]
    """Given back with the answer. A number that was answered last is answered again, and not done again."""


class HelloAsked(Asked, frozen=True, kw_only=True, tag="hello"):
    """The first word of a kernel's part: which tier holds here."""


class StatusAsked(Asked, frozen=True, kw_only=True, tag="status"):
    """What holds for this kernel."""


class ExplainAsked(Asked, frozen=True, kw_only=True, tag="explain"):
    """What the policy decides about a connection."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_HOST)]
    """A URL, a host, ``host:port``."""


class RefusalsAsked(Asked, frozen=True, kw_only=True, tag="refusals"):
    """What was refused since this was asked last."""


class CellAsked(Asked, frozen=True, kw_only=True, tag="cell"):
    """A cell begins to run: recorded with what the kernel asks for from now on, as claimed."""

    cell: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{0,64}$")]
    """Its id in the notebook; empty where the client gives none."""
    trace: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    """W3C trace id of this run."""


class UseAsked(Asked, frozen=True, kw_only=True, tag="use"):
    """Lend an access entry to this kernel."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_NAME)]


class ReleaseAsked(Asked, frozen=True, kw_only=True, tag="release"):
    """End what was lent."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_NAME)]


class SessionAsked(Asked, frozen=True, kw_only=True, tag="session"):
    """The keys of a lease whose custody is short-lived, as they are now."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_NAME)]


AnyAsked: TypeAlias = (
    HelloAsked | StatusAsked | ExplainAsked | RefusalsAsked | CellAsked | UseAsked | ReleaseAsked | SessionAsked
)

_decoder: msgspec.json.Decoder[AnyAsked] = msgspec.json.Decoder(AnyAsked)


class _Numbered(msgspec.Struct, frozen=True):
    """What is left of a request that cannot be read."""

    id: Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)] = 0


_numbers: msgspec.json.Decoder[_Numbered] = msgspec.json.Decoder(_Numbered)


def parse_asked(packet: bytes) -> Asked:
    """The request in *packet*.

    Raises
    ------
    InputError
        It is none that this version knows. The message repeats nothing of it.
    """
    try:
        return _decoder.decode(packet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        message = "the gateway does not understand this request: the guard was updated, perhaps; restart the server"
        raise InputError(message) from None


def number_of(packet: bytes) -> int:
    """The number of a request that cannot be read, so that whoever waits for its answer gets one; 0 if it has none."""
    try:
        return _numbers.decode(packet).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0


def answer_packet(number: int, answer: dict[str, Any]) -> bytes:
    """The packet that answers request *number*."""
    packet = msgspec.json.encode({"v": VERSION, "id": number, "answer": answer})
    if len(packet) > MAX_PACKET:
        return error_packet(number, "guard_failed", "the answer is too long to be told")
    return packet


def error_packet(number: int, code: str, text: str) -> bytes:
    """The packet that says why request *number* was not done; *text* is one line for the person."""
    return msgspec.json.encode({"v": VERSION, "id": number, "error": {"code": code, "text": text[:2000]}})


REFUSED_PACKET = msgspec.json.encode({"v": VERSION, "event": "refused"})
"""Unasked: there is something to ask about with :class:`RefusalsAsked`."""
