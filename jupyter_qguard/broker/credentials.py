"""Finds what a request carries as credentials: each must be a handle at the place where the vendor takes it.

A request that carries anything else that opens something is refused, whether it is a key of somebody's own (a way out
through a foreign account) or a handle at a place where it would be shown (a path, a query, another header).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.catalog.model import WireForm
from jupyter_qguard.secret import HANDLE_IN_TEXT, is_handle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jupyter_qguard.broker.target import Target
    from jupyter_qguard.catalog.model import Wire

Header = tuple[str, str]
"""Name in lower case, value."""
_IN_HEADERS = frozenset({WireForm.HEADER, WireForm.GRPC_METADATA, WireForm.BASIC})
_ALWAYS = frozenset(
    "authorization proxy-authorization x-api-key x-auth-token x-access-token x-amz-security-token api-key apikey "
    "api_token authentication-token x-ms-quantum-api-key x-csrf-token private-token x-vault-token x-goog-api-key "
    "x-goog-iam-authorization-token x-amz-date x-token token x-session-token x-id-token".split()
)
"""Headers that open something somewhere, whatever this vendor makes of them."""
_LIKE_ONE = re.compile(r"auth|token|api[-_]?key|secret|credential|password|session-id|signature")
_NO_CREDENTIAL = frozenset(
    {"www-authenticate", "x-csrf-protection", "x-qx-client-application", "authority", ":authority"}
)
_IN_QUERY = re.compile(
    r"(?:x-amz-(?:signature|credential|security-token)|.*(?:token|api[-_]?key|apikey|secret|password|passwd|signature|"
    r"credential)|auth|key|sig|jwt|bearer|sas)",
    re.IGNORECASE,
)
_PAGING = frozenset({"next_token", "nexttoken", "page_token", "pagetoken", "continuation_token", "continuationtoken"})
"""Parameters of lists that are called tokens and open nothing."""
_NOTHING = frozenset({"", "none", "null"})
"""What stands behind a scheme where there is no credential yet."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A handle in a header, and where in its value it stands."""

    index: int
    """Of the header in the request."""
    start: int
    text: str
    """What stands there: the handle, or what it is wrapped into."""
    handle: str
    wire: Wire
    user: str = ""
    """The name beside it, where both are in base64."""

    def spelled(self, value: str) -> str:
        """*value* as it stands in the place of :attr:`text`."""
        if self.wire.form is not WireForm.BASIC:
            return value
        return base64.b64encode(f"{self.user}:{value}".encode()).decode("ascii")


def carried_handles(headers: Sequence[Header], target: Target, wires: Sequence[Wire]) -> list[Carried]:
    """The handles of a request.

    Raises
    ------
    RequestRefusedError
        Something is carried that is no handle, or a handle where it has no business.
    """
    _check_target(target)
    found: list[Carried] = []
    seen: set[str] = set()
    for index, (name, value) in enumerate(headers):
        here = [wire for wire in wires if wire.form in _IN_HEADERS and wire.name.lower() == name]
        if name == "cookie":
            found += _in_cookies(index, value, wires, seen)
        elif here or name in _ALWAYS or (_LIKE_ONE.search(name) and name not in _NO_CREDENTIAL):
            if name in seen:
                raise _refused(f"the header `{name}` stands there twice")
            seen.add(name)
            found.append(_in_header(index, name, value, here))
        elif HANDLE_IN_TEXT.search(value):
            raise _refused(f"a handle stands in the header `{name}`, where the vendor takes none")
    return found


def without_foreign_cookies(headers: Sequence[Header], wires: Sequence[Wire]) -> list[Header]:
    """*headers* without cookies that the vendor does not take its credential in: a session is one that nobody lent."""
    names = _cookie_names(wires)
    kept: list[Header] = []
    for name, value in headers:
        if name == "cookie":
            own = [pair for pair in _cookies(value) if pair[0] in names]
            if own:
                kept.append((name, "; ".join(f"{cookie}={text}" for cookie, text in own)))
        else:
            kept.append((name, value))
    return kept


def _check_target(target: Target) -> None:
    if HANDLE_IN_TEXT.search(target.path):
        raise _refused("a handle stands in the address, where it would be logged")
    for name, value in target.parameters:
        if HANDLE_IN_TEXT.search(value) or HANDLE_IN_TEXT.search(name):
            raise _refused("a handle stands in the address, where it would be logged")
        if value and _IN_QUERY.fullmatch(name) and name.lower() not in _PAGING:
            raise _refused("the address carries a credential that is no handle of this kernel")


def _in_header(index: int, name: str, value: str, wires: Sequence[Wire]) -> Carried:
    for wire in wires:
        prefix = _prefix(wire)
        text = value[len(prefix) :].strip()
        user, handle = _in_basic(text) if wire.form is WireForm.BASIC else ("", text)
        if value[: len(prefix)].lower() != prefix.lower():
            continue
        if is_handle(handle):
            return Carried(index, value.index(text, len(prefix)), text, handle, wire, user)
        if text.lower() in _NOTHING:
            # Clients that have a sign-in to do begin so, and do it on a 401.
            raise _refused(f"the header `{name}` carries no handle", status=401)
    if HANDLE_IN_TEXT.search(value):
        raise _refused(f"a handle stands in the header `{name}` in a form that the vendor does not take")
    raise _refused(f"the header `{name}` carries a credential that is no handle of this kernel")


def _in_basic(text: str) -> tuple[str, str]:
    """Name and password."""
    try:
        name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password


def _prefix(wire: Wire) -> str:
    scheme = wire.scheme or ("Basic" if wire.form is WireForm.BASIC else "")
    return scheme if not scheme or scheme.endswith(("=", ":")) else f"{scheme} "


def _in_cookies(index: int, value: str, wires: Sequence[Wire], seen: set[str]) -> Iterator[Carried]:
    by_name = {wire.name: wire for wire in wires if wire.form is WireForm.COOKIE}
    at = 0
    for name, text in _cookies(value):
        if name not in by_name:
            continue
        if not is_handle(text):
            raise _refused(f"the cookie `{name}` is no handle of this kernel")
        if f"cookie {name}" in seen:
            raise _refused(f"the cookie `{name}` stands there twice")
        seen.add(f"cookie {name}")
        at = value.index(text, at)
        yield Carried(index, at, text, text, by_name[name])
        at += len(text)


def _cookies(value: str) -> list[tuple[str, str]]:
    parts = (part.strip().partition("=") for part in value.split(";"))
    return [(name, text) for name, _, text in parts if name]


def _cookie_names(wires: Sequence[Wire]) -> frozenset[str]:
    return frozenset(wire.name for wire in wires if wire.form is WireForm.COOKIE)


def _refused(problem: str, *, status: int = 403) -> RequestRefusedError:
    text = f"{problem}. Use `%qguard use` and the vendor's own settings"
    return RequestRefusedError(Cause.CREDENTIAL, text, status=status)
