"""Makes a lease of an access entry and its secret: handles, their variables, and an end. Pure."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.broker.lease import Held, Lease
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.catalog.model import Custody
from jupyter_qguard.secret import HandleShape, make_handle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_qguard.catalog.model import Vendor
    from jupyter_qguard.policy.model import AccessEntry
    from jupyter_qguard.secret import SecretValue

LONGEST = 12 * 3600.0
"""Seconds of a lease: a working day. An entry or a secret that ends before ends it before."""
_PLACEHOLDER = re.compile(r"\{([a-z_]*)\}")


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what a kernel is lent something."""

    kernel: str
    entry: AccessEntry
    vendor: Vendor
    expires: dt.date
    """Last day of the secret itself."""


def make_lease(terms: Terms, fields: Mapping[str, SecretValue], now: float) -> Lease:
    """A lease of *fields*, which are named as in the entry's ``secrets``.

    Raises
    ------
    RequestRefusedError
        The vendor's credential cannot be lent so, or a field is none that the catalogue knows.
    """
    vendor, brokering = terms.vendor, terms.vendor.brokering
    if brokering.custody is Custody.SEALED:
        why = brokering.limits or "the catalogue does not say how that is done without giving it to the kernel."
        text = f"a credential of {vendor.name} is not lent to kernels: {why}"
        raise RequestRefusedError(Cause.POLICY, text)
    handles: dict[str, Held] = {}
    for name, value in fields.items():
        rule_id = brokering.secrets.get(name)
        if rule_id is None:
            known = ", ".join(f"`{each}`" for each in brokering.secrets if each)
            text = f"{vendor.name} has no secret `{name}`; its secrets are called {known}"
            raise RequestRefusedError(Cause.POLICY, text)
        handles[_handle_for(brokering.length)] = Held(value, rule_id, name)
    until = min(now + LONGEST, _end_of(terms.entry.expires), _end_of(terms.expires))
    return Lease(secrets.token_hex(8), terms.kernel, terms.entry, vendor, until, handles)


def variables_of(lease: Lease) -> dict[str, str]:
    """The environment variables with which the vendor's own client uses *lease*."""
    brokering, settings = lease.vendor.brokering, lease.entry.settings
    lent = [(handle, held) for handle, held in lease.handles.items() if held.until == float("inf")]
    by_field = {held.field: handle for handle, held in lent}
    by_rule = {held.credential: handle for handle, held in lent}
    found: dict[str, str] = {}
    for variable, name in brokering.variables.items():
        handle = by_field.get(name) or by_rule.get(brokering.secrets[name])
        text = handle and _filled(brokering.templates.get(variable, "{}"), handle, settings)
        if text:
            found[variable] = text
    for setting, variable in brokering.settings.items():
        if setting in settings:
            found[variable] = settings[setting]
    return found


def _filled(template: str, handle: str, settings: Mapping[str, str]) -> str:
    """*template* with *handle* and the settings that it names; empty where one of them is not given."""
    named = {"": handle, **settings}
    if any(name not in named for name in _PLACEHOLDER.findall(template)):
        return ""
    return _PLACEHOLDER.sub(lambda found: named[found[1]], template)


def _handle_for(length: int) -> str:
    return make_handle(HandleShape.TEXT, length=length) if length else make_handle(HandleShape.TEXT)


def _end_of(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time.max, tzinfo=dt.timezone.utc).timestamp()
