"""Token exchanges: the kernel sends a handle and gets handles back; the vendor sees the key, the kernel no token.

Bodies and cookies are read whole and written anew. Of the answer only what the catalogue names goes on, and numbers: a
field that nobody declared could be one more token.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from jupyter_qguard.broker.cookie import read_cookie
from jupyter_qguard.broker.lease import Held
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.secret import HANDLE_IN_TEXT, HandleShape, SecretValue, is_handle, make_handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jupyter_qguard.catalog.model import Exchange

MAX_BODY = 64 * 1024
"""Bytes, each way; tokens have a few KiB."""
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_HOUR = 3600
_LONGEST = 24 * _HOUR
_JWT_PARTS = 3
_LIFETIMES = ("expires_in", "expiresIn")
_OPENS = re.compile(
    r"pass|secret|(?:key|token|code|otp|pin|jwt|saml|ticket)$|assertion|credential|signature|code_verifier",
    re.IGNORECASE,
)
"""Fields that sign somebody in: beside the declared ones, one would be a credential of somebody's own, and what it gives
a way out into a foreign account."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of an exchange, understood."""

    fields: tuple[tuple[str, Any], ...]
    is_json: bool
    handles: tuple[tuple[str, str], ...]
    """Name of a field, and the handle in it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to an exchange: the vendor's, or what the kernel gets in its place."""

    body: bytes
    cookies: tuple[str, ...] = ()
    """Values of the headers ``Set-Cookie``."""


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
    fields: Sequence[tuple[str, Any]] = _form(body) if kind == _FORM else list(_object(body).items())
    names = [name for name, _ in fields]
    if len(set(names)) != len(names):
        raise _unreadable("a field stands there twice")
    found = []
    for name, value in fields:
        if name in exchange.fields:
            if not isinstance(value, str) or not is_handle(value):
                raise _foreign(name)
            found.append((name, value))
        elif HANDLE_IN_TEXT.search(value if isinstance(value, str) else json.dumps(value)):
            raise RequestRefusedError(Cause.CREDENTIAL, f"a handle stands in the field `{name}` of a token exchange")
        elif value and any(_OPENS.search(each) for each in _names(name, value)):
            raise _foreign(name)
    if not found:
        raise RequestRefusedError(Cause.CREDENTIAL, "the token exchange carries no handle")
    return Asked(tuple(fields), kind == _JSON, tuple(found))


def _names(name: str, value: object) -> Iterator[str]:
    yield name
    if isinstance(value, dict):
        for inner, below in value.items():
            yield from _names(inner, below)
    elif isinstance(value, list):
        for below in value:
            yield from _names(name, below)


def request_body(asked: Asked, values: dict[str, str]) -> bytes:
    """The body for the vendor: *values*, by field, in the place of handles."""
    fields = [(name, values.get(name, value)) for name, value in asked.fields]
    return json.dumps(dict(fields)).encode() if asked.is_json else urlencode(fields).encode("ascii")


def read_answer(exchange: Exchange, answer: Answered, now: float, extend: Callable[[str, Held], None]) -> Answered:
    """The answer for the kernel. *extend* is called with each handle in it, and what that stands for.

    Raises
    ------
    RequestRefusedError
        The answer is none that can be passed on safely.
    """
    fields = _answered(answer.body)
    if fields is None and (exchange.returns or not answer.cookies):
        raise RequestRefusedError(Cause.VENDOR, "the answer to the token exchange cannot be read", status=502)
    fields, tokens = fields or {}, 0

    def lend(value: str, rule_id: str, seconds: float) -> str:
        nonlocal tokens
        tokens += 1
        until = now + min(max(seconds, 0), _LONGEST)
        handle = _handle_like(value, int(now), int(until))
        extend(handle, Held(SecretValue(value), rule_id, until=until))
        return handle

    passed: dict[str, Any] = {}
    for name, value in fields.items():
        if name in exchange.returns and isinstance(value, str) and value:
            passed[name] = lend(value, exchange.returns[name], _lifetime(fields, now))
        elif name in exchange.keeps or value is None or isinstance(value, (bool, int, float)):
            passed[name] = value
    cookies = []
    for cookie in filter(None, (read_cookie(text, now) for text in answer.cookies)):
        if cookie.name in exchange.cookies and cookie.value:
            seconds = _HOUR if cookie.seconds is None else cookie.seconds
            cookies.append(cookie.holding(lend(cookie.value, exchange.cookies[cookie.name], seconds)))
    if not tokens:
        raise RequestRefusedError(Cause.VENDOR, "the answer to the token exchange holds no token", status=502)
    return Answered(json.dumps(passed).encode(), tuple(cookies))


def _answered(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _handle_like(value: str, issued: int, until: int) -> str:
    if value.count(".") == _JWT_PARTS - 1 and value.startswith("ey"):
        return make_handle(HandleShape.JWT, issued=issued, until=until)
    return make_handle(HandleShape.TEXT, length=min(len(value), 128))


def _lifetime(answer: dict[str, Any], now: float) -> float:
    """Seconds, by the answer; a vendor that says nothing means an hour."""
    for name in _LIFETIMES:
        if _is_number(answer.get(name)):
            return float(answer[name])
    return float(answer["expiration"]) - now if _is_number(answer.get("expiration")) else _HOUR


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


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


def _foreign(name: str) -> RequestRefusedError:
    return RequestRefusedError(
        Cause.CREDENTIAL, f"the field `{name}` carries a credential that is no handle of this kernel"
    )


def _unreadable(problem: str) -> RequestRefusedError:
    return RequestRefusedError(Cause.GUARD, f"the token exchange cannot be read: {problem}", status=400)
