"""Every vendor that the catalogue says is brokered, by its own data, through a real gateway with a real vault.

:data:`PLACES` says by the vendors' documents, and not by the catalogue, where the vendor finds its credential.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import os

import pytest

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody, OperationClass, WireForm
from jupyter_qguard.kernel.channel import Channel, NotDoneError
from jupyter_qguard.policy.model import Environment
from jupyter_qguard.policy.vaults import VaultsPolicy
from jupyter_qguard.secret import HANDLE_IN_TEXT, SecretValue, is_handle
from jupyter_qguard.vault import Governance, Vaults
from tests.broker.lent import value
from tests.gateway.owner import KernelDoors, Owner, Place
from tests.gateway.test_brokered import Client, access, write
from tests.gateway.vendors import Answer, Vendors, as_json
from tests.gateway.walk import (
    Purse,
    brokered,
    encoded,
    exchange_of,
    hosts_of,
    is_minting,
    secret_of,
    settings_of,
    steps_of,
    token_of,
    unknown_path,
)

PLACES = {
    "alice_bob": ("api-gcp.alice-bob.com", "GET /v1/targets/", "authorization", "Basic KEY"),
    "aqt": ("arnica.aqt.eu", "GET /api/v1/workspaces", "authorization", "Bearer KEY"),
    "azure_quantum": ("set-location.quantum.azure.com", "GET WORKSPACE/providerStatus", "x-ms-quantum-api-key", "KEY"),
    "bluequbit": ("app.bluequbit.io", "GET /api/v1/jobs", "authorization", "SDK KEY"),
    "c12": ("api.callisto.c12qe.net", "GET /api/c12sim/backends", "authorization", "Bearer KEY"),
    "classiq": ("platform.classiq.io", "GET /hardware-catalog/v1/hardwares", "authorization", "Bearer TOKEN"),
    "dwave": ("cloud.dwavesys.com", "GET /sapi/v2/solvers/remote/", "x-auth-token", "KEY"),
    "haiqu": ("api.haiqu.ai", "GET /devices", "authorization", "KEY"),
    "ibm_quantum": ("quantum.cloud.ibm.com", "GET /api/v1/backends", "authorization", "Bearer TOKEN"),
    "ionq": ("api.ionq.co", "GET /v0.4/backends", "authorization", "apiKey KEY"),
    "iqm": ("resonance.iqm.tech", "GET /api/v1/quantum-computers", "authorization", "Bearer KEY"),
    "mimiq": ("mimiq.qperfect.io", "GET /api/users/limits", "authorization", "Bearer TOKEN"),
    "mqp": ("portal.quantum.lrz.de", "GET /v1/resources", "authorization", "Bearer KEY"),
    "openquantum": ("scheduler.openquantum.com", "GET /v1/backends/classes", "authorization", "Bearer TOKEN"),
    "oqc": ("cloud.oqc.app", "GET /admin/qpu", "authentication-token", "KEY"),
    "origin_quantum": ("qcloud.originqc.com.cn", "POST /api/taskApi/submitTask.json", "authorization", "oqcs_auth=KEY"),
    "pasqal": ("apis.pasqal.cloud", "GET /core-fast/api/v2/jobs", "authorization", "Bearer TOKEN"),
    "planqk": ("platform.planqk.de", "GET /quantum/backends", "x-auth-token", "KEY"),
    "qbraid": ("api-v2.qbraid.com", "GET /api/v1/devices", "x-api-key", "KEY"),
    "qibo_tii": ("q-cloud.tii.ae", "POST /api/jobs", "x-api-token", "KEY"),
    "qryd": ("api.qryddemo.itp3.uni-stuttgart.de", "POST /v5_1/jobs", "x-api-key", "KEY"),
    "quafu": ("quafu.baqis.ac.cn", "POST /qbackend/get_backends/", "api_token", "KEY"),
    "quandela": ("api.cloud.quandela.com", "POST /api/job", "authorization", "Bearer KEY"),
    "quantagonia": ("api.quantagonia.com", "GET /api/v2/jobs", "x-api-key", "KEY"),
    "quantinuum": ("nexus.quantinuum.com", "GET /api/v5/available_devices", "cookie", "myqos_id=TOKEN"),
    "quantum_inspire": ("api.quantum-inspire.com", "GET /backend_types/", "authorization", "Bearer TOKEN"),
    "qudora": ("api.qudora.com", "GET /backends/", "authorization", "Bearer KEY"),
    "rigetti": ("api.qcs.rigetti.com", "GET /v1/quantumProcessors", "authorization", "Bearer TOKEN"),
    "scaleway": ("api.scaleway.com", "GET /qaas/v1alpha1/platforms", "x-auth-token", "KEY"),
    "superstaq": ("superstaq.infleqtion.com", "GET /v0.2.0/balance", "authorization", "KEY"),
    "tencent_tyxonq": ("quantum.tencent.com", "POST /cloud/quk/device/find", "authorization", "Bearer KEY"),
    "xanadu": ("platform.xanadu.ai", "GET /devices", "authorization", "Bearer TOKEN"),
}
"""Host, request, header and value. ``KEY`` is what lies in the vault, ``TOKEN`` what the exchange gave for it."""
WORKSPACE = (
    "/subscriptions/set-subscription/resourceGroups/set-group/providers/Microsoft.Quantum/workspaces/set-workspace"
)
EVERY = [pytest.param(each, id=each.id) for each in brokered()]
OTHERS = [
    pytest.param(each, id=each.id)
    for each in load_catalog().vendors.values()
    if each.brokering.custody is Custody.SEALED
]
OPERATIONS = ["inspect", "submit", "read_results", "manage"]


class Scene:
    """One gateway, and a kernel that every vendor's key is lent to."""

    def __init__(self, folder, stack):
        self.place = Place(folder)
        self.every = brokered()
        names = {host for vendor in self.every for host in hosts_of(vendor)}
        self.vendors = Vendors(folder, tuple(sorted(names)))
        stack.callback(self.vendors.close)
        self._write(folder)
        self.owner = Owner(self.place)
        stack.callback(self.owner.stop)
        self.kernel = KernelDoors(self.owner)
        stack.callback(self.kernel.close)
        self.channel = Channel(self.kernel.inside.dup())
        stack.callback(self.channel.close)
        self._purses = {}

    def _write(self, folder):
        governance = Governance("tests", "tests", Environment.DEV, dt.date(2099, 1, 31)).labels()
        environ = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(self.place.state)}
        source = Vaults(VaultsPolicy(), environ, folder).source("local")
        entries = []
        for vendor in load_catalog().vendors.values():
            entry = access(f"{vendor.id}/dev", vendor.id, operations=list(OPERATIONS), settings=settings_of(vendor))
            del entry["secret"]
            names = [name for name in vendor.brokering.secrets if name] or ["key"]
            entry["secrets"] = {name: f"local://{vendor.id}-{name.replace('_', '-')}" for name in names}
            for name, reference in entry["secrets"].items():
                rule_id = vendor.brokering.secrets.get(name, vendor.rules[0].id)
                source.write(reference.removeprefix("local://"), "", SecretValue(secret_of(rule_id)), governance)
            entries.append(entry)
        write(self.place, self.vendors, tuple(entries))

    @contextlib.contextmanager
    def clients(self, vendor):
        """A connection to each host of *vendor*, as far as one is asked for."""
        with contextlib.ExitStack() as stack:

            @functools.cache
            def client(host):
                return stack.enter_context(contextlib.closing(Client(self.kernel, host, hosts_of(vendor)[host])))

            yield client

    def ask(self, vendor, host, method, target, body=None, headers=()):
        """Status, body and headers of an answer, over a connection of its own: a refusal ends one."""
        with contextlib.closing(Client(self.kernel, host, hosts_of(vendor)[host])) as made:
            status, said = made.send(method, target, body, headers)
            return status, said, made.headers

    def purse(self, vendor):
        """Handles of all that was lent, and of the tokens that came of it."""
        if vendor.id not in self._purses:
            purse = self._purses[vendor.id] = Purse(vendor)
            variables = self.channel.ask("use", name=f"{vendor.id}/dev")["variables"]
            for variable, name in vendor.brokering.variables.items():
                rule_id, found = vendor.brokering.secrets[name], HANDLE_IN_TEXT.search(variables[variable])
                assert is_handle(found[0]), variable
                purse.lent[rule_id] = purse.handles[rule_id] = found[0]
                purse.values[rule_id] = secret_of(rule_id)
            assert set(purse.handles) == set(vendor.brokering.secrets.values())
            for step in steps_of(vendor):
                exchange = exchange_of(vendor, step.operation)
                if exchange is not None:
                    self.sign_in(purse, step, exchange)
        return self._purses[vendor.id]

    def sign_in(self, purse, step, exchange, *, is_json=False):
        """The exchange, from start to end; what the vendor saw is given back."""
        given = {name: token_of(rule_id) for name, rule_id in exchange.returns.items()}
        baked = {name: token_of(rule_id) for name, rule_id in exchange.cookies.items()}
        answer = {**given, "expires_in": 3000, "undeclared": secret_of("undeclared"), "nested": {"token": "t" * 40}}
        cookies = [("Set-Cookie", f"{name}={text}; Path=/; Secure; Max-Age=3000") for name, text in baked.items()]
        self.vendors.script[f"POST {step.path}"] = as_json(
            answer, headers=(("Content-Type", "application/json"), ("Set-Cookie", "tracking=1"), *cookies)
        )
        headers, body = [], None
        if exchange.fields:
            name, rule_id = next(iter(exchange.fields.items()))
            fields = {"grant_type": "x", "client_id": "me", name: purse.handles[rule_id]}
            body, kind = encoded(fields, is_json)
            headers.append(("Content-Type", kind))
        else:
            wire = next(each for each in purse.wire((WireForm.COOKIE, WireForm.BASIC)))
            rule_id = wire.credential
            name, text = purse.header(wire, purse.handles[rule_id])
            headers.append((name, text))
        status, said, answered = self.ask(purse.vendor, step.host, "POST", step.path, body, headers)
        assert status == 200, said
        got = json.loads(said)
        assert set(got) == {*exchange.returns, "expires_in"}
        found = [(exchange.returns[name], got[name], given[name]) for name in exchange.returns]
        set_cookies = answered.get_all("Set-Cookie") or []
        assert len(set_cookies) == len(baked), "no cookie but the declared ones"
        for cookie in set_cookies:
            named, _, rest = cookie.partition("=")
            found.append((exchange.cookies[named], rest.partition(";")[0], baked[named]))
        for got_rule, handle, token in found:
            assert is_handle(handle)
            assert token not in said.decode() + str(set_cookies)
            purse.handles[got_rule], purse.values[got_rule] = handle, token
        seen = self.vendors.seen[-1]
        assert not HANDLE_IN_TEXT.search(seen.body.decode() + str(seen.headers))
        return seen, rule_id

    def refused(self, vendor, host, method, target, body=None, headers=()):
        """Ask, and see that nothing goes out; the cause."""
        before = len(self.vendors.seen)
        status, said, _ = self.ask(vendor, host, method, target, body, headers)
        assert status in (400, 401, 403), said
        assert len(self.vendors.seen) == before, "it reached the vendor"
        return json.loads(said)["cause"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        yield Scene(tmp_path_factory.mktemp("scene"), stack)


def plain(vendor, purse):
    """A request of *vendor* that every wire can be tried on, and what carries the credential there."""
    step = next(
        each
        for each in steps_of(vendor)
        if each.operation.does is not OperationClass.AUTH and not is_minting(each.operation) and not each.operation.open
    )
    wire = next(each for each in purse.wire() if each.form is not WireForm.BASIC)
    return step, wire


def test_the_vendors_that_are_brokered_are_these():
    assert [each.id for each in brokered()] == sorted(PLACES)


@pytest.mark.parametrize("vendor", EVERY)
def test_the_key_is_swapped_where_the_vendors_documents_say(scene, vendor):
    host, request, header, spelled = PLACES[vendor.id]
    purse = scene.purse(vendor)
    method, _, path = request.replace("WORKSPACE", WORKSPACE).partition(" ")
    scene.vendors.script[f"{method} {path}"] = as_json({})
    of_key = "KEY" in spelled
    for wire in purse.wire():
        handles, value_of = (purse.lent, secret_of) if of_key else (purse.handles, token_of)
        name, text = purse.header(wire, handles.get(wire.credential, ""))
        if name.lower() == header and wire.credential in handles and wire.form is not WireForm.BASIC:
            status, said, _ = scene.ask(vendor, host, method, path, None, [(name, text)])
            assert status == 200, said
            want = spelled.replace("KEY" if of_key else "TOKEN", value_of(wire.credential))
            if scene.vendors.seen[-1].headers[header] == want:
                return
    raise AssertionError(f"nothing went out as `{header}: {spelled}`")


@pytest.mark.parametrize("vendor", EVERY)
def test_every_operation_goes_out_with_the_value_in_the_declared_place_and_nowhere_else(scene, vendor):
    purse = scene.purse(vendor)
    wires = [each for each in purse.wire() if each.form is not WireForm.BASIC]
    steps = [
        each for each in steps_of(vendor) if not is_minting(each.operation) and not exchange_of(vendor, each.operation)
    ]
    assert steps
    with scene.clients(vendor) as client:
        for number, step in enumerate(steps):
            wire = wires[number % len(wires)]
            scene.vendors.script[f"{step.method} {step.path}"] = as_json({"id": "job-1"})
            name, text = purse.header(wire, purse.handles[wire.credential])
            status, said = client(step.host).send(step.method, step.path, step.body, [(name, text)])
            assert status == 200, (step, said)
            seen = scene.vendors.seen[-1]
            assert (seen.host.partition(":")[0], seen.method, seen.target) == (step.host, step.method, step.path)
            real = purse.values[wire.credential]
            assert seen.headers[name.lower()] == purse.header(wire, real)[1]
            assert str(seen.headers).count(real) == 1
            assert seen.body == (step.body or b"")
            assert not HANDLE_IN_TEXT.search(str(seen.headers) + seen.target)


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.parametrize("vendor", [each for each in EVERY if each.values[0].brokering.exchanges])
def test_an_exchange_shows_the_key_to_the_vendor_and_handles_to_the_kernel(scene, vendor, is_json):
    purse = scene.purse(vendor)
    for step in steps_of(vendor):
        exchange = exchange_of(vendor, step.operation)
        if exchange is None:
            continue
        held = dict(purse.values)
        seen, rule_id = scene.sign_in(purse, step, exchange, is_json=is_json)
        if exchange.fields:
            assert held[rule_id] in seen.body.decode()
            assert held[rule_id] not in str(seen.headers)
        elif any(each.form is WireForm.COOKIE for each in vendor.wire):
            assert f"={held[rule_id]}" in seen.headers["cookie"]
        else:
            assert purse.header(purse.wire((WireForm.BASIC,))[0], held[rule_id])[1] == seen.headers["authorization"]


@pytest.mark.parametrize("vendor", [each for each in EVERY if each.values[0].brokering.exchanges])
@pytest.mark.parametrize("answer", [Answer(body=b"<html>"), as_json({"ok": True}), as_json(["token"])])
def test_an_exchange_whose_answer_cannot_be_read_is_not_passed_on(scene, vendor, answer):
    purse = scene.purse(vendor)
    for step in steps_of(vendor):
        exchange = exchange_of(vendor, step.operation)
        if exchange is None or not exchange.fields:
            continue
        scene.vendors.script[f"POST {step.path}"] = answer
        name, rule_id = next(iter(exchange.fields.items()))
        body, kind = encoded({name: purse.handles[rule_id]}, is_json=True)
        status, said, _ = scene.ask(vendor, step.host, "POST", step.path, body, [("Content-Type", kind)])
        assert (status, json.loads(said)["cause"]) == (502, "vendor")


@pytest.mark.parametrize("vendor", [each for each in EVERY if each.values[0].brokering.exchanges])
def test_an_exchange_with_somebodys_own_credential_is_refused(scene, vendor):
    purse = scene.purse(vendor)
    for step in steps_of(vendor):
        exchange = exchange_of(vendor, step.operation)
        if exchange is None or not exchange.fields:
            continue
        name, rule_id = next(iter(exchange.fields.items()))
        mine = {name: purse.handles[rule_id]}
        for fields in (
            {name: value(7)},
            {**mine, "client_assertion": value(7)},
            {**mine, "note": mine[name]},
            {"a": "b"},
        ):
            body, kind = encoded(fields, is_json=True)
            headers = [("Content-Type", kind)]
            assert scene.refused(vendor, step.host, "POST", step.path, body, headers) == "credential"


@pytest.mark.parametrize("vendor", EVERY)
def test_any_other_credential_and_any_other_place_is_refused(scene, vendor):
    purse = scene.purse(vendor)
    step, wire = plain(vendor, purse)
    handle = purse.handles[wire.credential]
    name, text = purse.header(wire, handle)

    def refused(*headers, target=step.path, body=step.body):
        return scene.refused(vendor, step.host, step.method, target, body, headers)

    assert refused() == "credential"
    assert refused(purse.header(wire, value(5))) == "credential"
    assert refused(purse.header(wire, handle[:-1] + ("a" if handle[-1] != "a" else "b"))) == "credential"
    assert refused((name, text), ("X-Copy", handle)) == "credential"
    assert refused((name, text), ("X-Other-Token", value(5))) == "credential"
    assert refused((name, text), target=f"{step.path}?note={handle}") == "credential"
    assert refused((name, text), target=f"{step.path}?api_key={value(5)}") == "credential"
    assert refused((name, text), target=f"{step.path.rstrip('/')}/{handle}") in ("credential", "policy")
    if step.body:
        assert refused((name, text), body=json.dumps({"key": handle}).encode()) == "credential"


@pytest.mark.parametrize("vendor", EVERY)
def test_a_handle_is_nothing_at_another_vendor(scene, vendor):
    other = next(each for each in scene.every if each.id != vendor.id and len(each.wire) == 1)
    handles = scene.purse(vendor).handles
    step, wire = plain(other, scene.purse(other))
    for handle in handles.values():
        header = scene.purse(other).header(wire, handle)
        assert scene.refused(other, step.host, step.method, step.path, step.body, [header]) == "credential"


@pytest.mark.parametrize("vendor", EVERY)
def test_what_makes_credentials_and_what_the_catalogue_does_not_know_is_refused(scene, vendor):
    purse = scene.purse(vendor)
    step, wire = plain(vendor, purse)
    header = purse.header(wire, purse.handles[wire.credential])
    path = unknown_path(vendor, step.host)
    assert scene.refused(vendor, step.host, "GET", path, None, [header]) == "policy"
    for each in steps_of(vendor):
        if is_minting(each.operation):
            assert scene.refused(vendor, each.host, each.method, each.path, None, [header]) == "policy"


@pytest.mark.parametrize("vendor", [each for each in EVERY if any(one.open for one in each.values[0].operations)])
def test_what_is_open_goes_out_without_a_credential(scene, vendor):
    for step in (each for each in steps_of(vendor) if each.operation.open):
        scene.vendors.script[f"GET {step.path}"] = as_json({})
        status, said, _ = scene.ask(vendor, step.host, "GET", step.path)
        assert (status, scene.vendors.seen[-1].target) == (200, step.path), said


@pytest.mark.parametrize("vendor", OTHERS)
def test_what_is_not_brokered_is_refused_with_the_reason_and_not_lent(scene, vendor):
    assert vendor.brokering.limits
    with pytest.raises(NotDoneError) as caught:
        scene.channel.ask("use", name=f"{vendor.id}/dev")
    assert vendor.brokering.limits.strip() in str(caught.value)
