"""Token exchanges: the kernel sends a handle and gets handles back; the vendor sees the key, the kernel no token.

Both bodies are read whole and written anew. Of the answer only what the catalogue names goes on, and numbers: a field
that nobody declared could be one more token.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from jupyter_qguard.broker.lease import Held
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.secret import HANDLE_IN_TEXT, HandleShape, SecretValue, is_handle, make_handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.catalog.model import Exchange

MAX_BODY = 64 * 1024
"""Bytes, each way; tokens have a few KiB."""
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_HOUR = 3600
_LONGEST = 24 * _HOUR
_JWT_PARTS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of an exchange, understood."""

    fields: tuple[tuple[str, str], ...]
    is_json: bool
    handles: tuple[tuple[str, str], ...]
    """Name of a field, and the handle in it."""


def read_request(exchange: Exchange, content_type: str, body: bytes) -> Asked:
    """What the kernel asks for.

    Raises
    ------
    RequestRefusedError
        The body cannot be read, holds a handle in another field, or a credential of somebody's own.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (_FORM, _JSON):
        raise _unreadable("its form is not one that a vendor takes")
    fields = _form(body) if kind == _FORM else _flat(_object(body))
    names = [name for name, _ in fields]
    if len(set(names)) != len(names):
        raise _unreadable("a field stands there twice")
    found = []
    for name, value in fields:
        declared = name in exchange.fields
        if declared and not is_handle(value):
            text = f"the field `{name}` carries a credential that is no handle of this kernel"
            raise RequestRefusedError(Cause.CREDENTIAL, text)
        if declared:
            found.append((name, value))
        elif HANDLE_IN_TEXT.search(value):
            raise RequestRefusedError(Cause.CREDENTIAL, f"a handle stands in the field `{name}` of a token exchange")
    if not found:
        raise RequestRefusedError(Cause.CREDENTIAL, "the token exchange carries no handle")
    return Asked(tuple(fields), kind == _JSON, tuple(found))


def request_body(asked: Asked, values: dict[str, str]) -> bytes:
    """The body for the vendor: *values*, by field, in the place of handles."""
    fields = [(name, values.get(name, value)) for name, value in asked.fields]
    return json.dumps(dict(fields)).encode() if asked.is_json else urlencode(fields).encode("ascii")


def read_answer(exchange: Exchange, body: bytes, now: float, extend: Callable[[str, Held], None]) -> bytes:
    """The answer for the kernel. *extend* is called with each handle in it, and what that stands for.

    Raises
    ------
    RequestRefusedError
        The answer is none that can be passed on safely.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RequestRefusedError(Cause.VENDOR, "the answer to the token exchange cannot be read", status=502)
    until = now + _lifetime(answer, now)
    passed: dict[str, Any] = {}
    for name, value in answer.items():
        if name in exchange.returns and isinstance(value, str) and value:
            handle = _handle_like(value, int(now), int(until))
            extend(handle, Held(SecretValue(value), exchange.returns[name], until=until))
            passed[name] = handle
        elif name in exchange.keeps or value is None or isinstance(value, (bool, int, float)):
            passed[name] = value
    if not any(name in passed for name in exchange.returns):
        raise RequestRefusedError(Cause.VENDOR, "the answer to the token exchange holds no token", status=502)
    return json.dumps(passed).encode()


def _handle_like(value: str, issued: int, until: int) -> str:
    if value.count(".") == _JWT_PARTS - 1 and value.startswith("ey"):
        return make_handle(HandleShape.JWT, issued=issued, until=until)
    return make_handle(HandleShape.TEXT, length=min(len(value), 128))


def _lifetime(answer: dict[str, Any], now: float) -> float:
    """Seconds, by the answer; a vendor that says nothing means an hour."""
    seconds, end = answer.get("expires_in"), answer.get("expiration")
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return float(min(max(seconds, 0), _LONGEST))
    if isinstance(end, (int, float)) and not isinstance(end, bool):
        return float(min(max(end - now, 0), _LONGEST))
    return _HOUR


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=50)
    except ValueError:
        raise _unreadable("its fields are malformed") from None


def _object(body: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        found = json.loads(body, object_pairs_hook=once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unreadable("it is no JSON object")
    return found


def _flat(fields: dict[str, Any]) -> list[tuple[str, str]]:
    if not all(isinstance(value, str) for value in fields.values()):
        raise _unreadable("a field of it is no text")
    return list(fields.items())


def _unreadable(problem: str) -> RequestRefusedError:
    return RequestRefusedError(Cause.GUARD, f"the token exchange cannot be read: {problem}", status=400)
