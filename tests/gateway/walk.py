"""What a kernel would do at a vendor, read from the vendor's file: where each credential goes, and what each request is."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode

from jupyter_qguard.broker.operation import GRPC, match_operation, stands_at
from jupyter_qguard.broker.target import parse_target
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody, HostRole, OperationClass, Protocol, WireForm
from tests.broker.lent import value

CARRIED = (WireForm.HEADER, WireForm.COOKIE, WireForm.BASIC)
_VARIES = re.compile(r"\{([a-z_]+)\}")


def brokered():
    """The vendors that the catalogue says are brokered."""
    return [each for each in load_catalog().vendors.values() if each.brokering.custody is Custody.BROKERED]


def secret_of(rule_id, n=0):
    """A value of its own for each kind of credential."""
    return value(Random(f"{rule_id} {n}").randrange(10**9), 48)


def token_of(rule_id):
    """What an exchange gives; some are JSON web tokens."""
    text = secret_of(rule_id, 1)
    return f"ey{text[:12]}.{text[12:30]}.{text[30:]}"


def settings_of(vendor):
    """One for whatever varies in its hosts, is pinned, or stands in a variable."""
    names = {name for host in vendor.hosts for name in _VARIES.findall(host.host)}
    names |= set(vendor.brokering.pinned.values()) | set(vendor.brokering.settings)
    return {name: f"set-{name.replace('_', '-')}" for name in sorted(names)}


def filled(text, settings):
    return _VARIES.sub(lambda found: settings.get(found[1], "x7"), text)


def hosts_of(vendor):
    """Those that are brokered, as the entry spells them, with their port."""
    settings = settings_of(vendor)
    return {
        filled(each.host, settings): each.port
        for each in vendor.hosts
        if each.role in (HostRole.API, HostRole.AUTH) and each.protocol in (Protocol.HTTPS, Protocol.GRPC)
    }


@dataclass
class Step:
    """A request that the catalogue names, with what varies filled in."""

    operation: object
    host: str
    path: str

    @property
    def method(self):
        return self.operation.method

    @property
    def body(self):
        return b'{"circuit": "H 0"}' if self.method in ("POST", "PUT", "PATCH") else None


def steps_of(vendor):
    """One for each operation that HTTP/1.1 can ask for at a brokered host."""
    settings = settings_of(vendor)
    for operation in vendor.operations:
        if operation.method == GRPC or operation.path.endswith("/ws"):
            continue
        hosts = [host for host in hosts_of(vendor) if stands_at(vendor, operation.at, host)]
        if not hosts:
            continue
        path = filled(operation.path, settings)
        yield Step(operation, hosts[0], path)


def exchange_of(vendor, operation):
    return next((each for each in vendor.brokering.exchanges if each.path == operation.path), None)


@dataclass
class Purse:
    """The handles that a kernel has of one vendor, by kind of credential, and the values behind them."""

    vendor: object
    lent: dict = field(default_factory=dict)
    """What came of the vault."""
    handles: dict = field(default_factory=dict)
    """The newest of each kind: of tokens, what an exchange gave."""
    values: dict = field(default_factory=dict)

    def wire(self, forms=CARRIED):
        """The places that a credential at hand can stand in."""
        return [w for w in self.vendor.wire if w.form in forms and w.swapped and w.credential in self.handles]

    def header(self, wire, text):
        """Name and value of the header that carries *text*."""
        if wire.form is WireForm.COOKIE:
            return "Cookie", f"{wire.name}={text}"
        if wire.form is WireForm.BASIC:
            return wire.name, f"Basic {base64.b64encode(f'me:{text}'.encode()).decode()}"
        space = "" if not wire.scheme or wire.scheme.endswith(("=", ":")) else " "
        return wire.name, f"{wire.scheme}{space}{text}"


def encoded(fields, is_json):
    if is_json:
        return json.dumps(fields), "application/json"
    return urlencode(fields), "application/x-www-form-urlencoded"


def is_minting(operation):
    return operation.does is OperationClass.MINT


def unknown_path(vendor, host):
    """One that no operation has."""
    for path in ("/qguard/nothing/here/at/all/ever/x", "/qguard-nothing"):
        if match_operation(vendor, host, "GET", parse_target(path)) is None:
            return path
    raise AssertionError(vendor.id)
