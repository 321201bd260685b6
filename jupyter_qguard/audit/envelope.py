"""From an event to the line of the log that records it, and back: CloudEvents 1.0 in JSON, chained by SHA-256.

A line is ``{…,"hash":"H"}``. H is the SHA-256 of the line without ``,"hash":"H"``, and inside stands ``previous``, the
hash of the record before. So a line can be checked byte for byte with no JSON library at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.audit.event import AuditEvent, Identity

HASH_LENGTH = 64
FREE_TEXT = frozenset({"reason", "detail"})
"""Fields that a person or another program words."""
_MAX_TEXT = 500
_MAX_ITEMS = 100
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n\Z')
_TAIL_LENGTH = len(b',"hash":""}\n') + HASH_LENGTH
_RUN = re.compile(r"[A-Za-z0-9_+=~]{16,}")
_MIN_DIGITS = 2
_encoder = msgspec.json.Encoder(order="sorted")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is on the disk for good."""

    sequence: int
    """From 1, without gaps."""
    id: str
    hash: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a record that chains it."""

    sequence: str
    previous: str
    time: str


_link_decoder = msgspec.json.Decoder(Link)


def screen_text(text: str) -> str:
    """*text* with every run replaced that could be a key: 16 or more letters and digits in one piece.

    The last line of defence for what people type. Whoever has the scanner at hand gives the log a better one.
    """
    return _RUN.sub(lambda run: "[redacted]" if _looks_random(run[0]) else run[0], text)


def _looks_random(run: str) -> bool:
    digits = sum(char.isdigit() for char in run)
    return digits >= _MIN_DIGITS and digits < len(run)


def prepare(event: AuditEvent, opener: Identity, now_ns: int, screen: Callable[[str], str]) -> dict[str, Any]:
    """The record of *event*, all but its place in the chain. *now_ns* is nanoseconds since 1970.

    Identity and claims are extension attributes, as CloudEvents wants them: lower case, text, absent where unknown.
    """
    identity = event.identity or opener
    record: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{now_ns // 1_000_000:012x}{os.urandom(10).hex()}",
        "source": f"/qguard/{_clean(identity.source)}",
        "type": event.data.type.value,
        "time": timestamp(now_ns),
        "datacontenttype": "application/json",
        "identitykind": identity.kind.value,
    }
    optional = {
        "user": identity.user,
        "role": identity.role,
        "environment": identity.environment,
        "kernel": event.kernel,
        "notebook": _claimed(event.notebook, screen),
        "cell": _claimed(event.cell, screen),
        "correlationid": event.correlationid,
    }
    record.update({name: _clean(text) for name, text in optional.items() if text})
    data: dict[str, Any] = msgspec.to_builtins(event.data)
    record["data"] = {name: _field(name, value, screen) for name, value in data.items()}
    return record


def _claimed(text: str, screen: Callable[[str], str]) -> str:
    """A path or id as a client claims it. Such text is full of long runs: only a real scanner can tell a key in it."""
    return text if screen is screen_text else screen(text)


def seal(record: dict[str, Any], sequence: int, previous: str) -> tuple[bytes, str]:
    """The line of *record* in its place in the chain, and its hash. Changes *record*."""
    record["sequence"] = f"{sequence:016d}"
    record["previous"] = previous
    body = _encoder.encode(record)
    digest = hashlib.sha256(body).hexdigest()
    return b'%b,"hash":"%b"}\n' % (body[:-1], digest.encode()), digest


def unseal(line: bytes) -> tuple[Link, str] | None:
    """The link of a line and its hash; None if the line is no record, or was changed by as much as a bit."""
    tail = _TAIL.search(line, max(0, len(line) - _TAIL_LENGTH))
    if not tail:
        return None
    digest = tail[1].decode()
    body = line[: tail.start()] + b"}"
    if hashlib.sha256(body).hexdigest() != digest:
        return None
    try:
        return _link_decoder.decode(body), digest
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def timestamp(now_ns: int) -> str:
    """RFC 3339 in UTC, with microseconds."""
    moment = dt.datetime.fromtimestamp(now_ns // 1_000_000_000, dt.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{now_ns // 1000 % 1_000_000:06d}Z"


def _field(name: str, value: Any, screen: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return _clean(screen(value) if name in FREE_TEXT else value)
    if isinstance(value, (list, tuple)):
        return [_clean(str(item)) for item in value[:_MAX_ITEMS]]
    return value


def _clean(text: str) -> str:
    """*text* without what could break a line, a terminal or the JSON, and not longer than a record needs."""
    if len(text) > _MAX_TEXT:
        text = f"{text[: _MAX_TEXT - 1]}…"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
