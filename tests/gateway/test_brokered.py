"""Brokered hosts, through a real gateway process with a real vault: the vendor sees the key, and the kernel never does."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.client
import json
import os
import resource
import ssl

import pytest
import yaml

from jupyter_qguard.kernel.channel import Channel, NotDoneError
from jupyter_qguard.policy.model import Environment
from jupyter_qguard.policy.vaults import VaultsPolicy
from jupyter_qguard.secret import SecretValue, is_handle
from jupyter_qguard.vault import Governance, Vaults
from tests.broker.lent import value
from tests.gateway.client import tunnel
from tests.gateway.owner import wait_for
from tests.gateway.vendors import Answer, Vendors, as_json

API, IAM, OTHER, IONQ = "quantum.cloud.ibm.com", "iam.cloud.ibm.com", "files.example.org", "api.ionq.co"
KEY, TOKEN, IONQ_KEY = value(11), f"eyJraWQiOiI{value(12)}.{value(13)}.{value(14)}", value(15, 32)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def vendors(tmp_path):
    made = Vendors(tmp_path, (API, IAM, OTHER, IONQ))
    made.script["POST /identity/token"] = as_json({"access_token": TOKEN, "refresh_token": "none", "expires_in": 3600})
    made.script["GET /api/v1/backends"] = as_json({"devices": ["one"]})
    made.script["POST /api/v1/jobs"] = as_json({"id": "job-1"})
    made.script["GET /api/v1/jobs/job-1/results"] = as_json({"counts": [1, 2]})
    made.script["GET /v0.4/backends"] = as_json([])
    yield made
    made.close()


def access(name, vendor, **more):
    return {
        "name": name,
        "vendor": vendor,
        "secret": f"local://{vendor}",
        "environment": "dev",
        "owner": "tests",
        "purpose": "tests",
        "expires": "2099-01-31",
        "operations": ["inspect", "submit", "read_results"],
        **more,
    }


@pytest.fixture
def lend(place, vendors, start):
    """Writes the policy and the vault, starts a gateway, and gives a kernel with its channel."""
    with contextlib.ExitStack() as stack:

        def lent(*entries, kernel=None, **egress):
            entries = entries or (access("ibm/dev", "ibm_quantum"), access("ionq/dev", "ionq"))
            write(place, vendors, entries, **egress)
            governance = Governance("tests", "tests", Environment.DEV, dt.date(2099, 1, 31)).labels()
            environ = {**os.environ, "HOME": str(place.folder), "XDG_STATE_HOME": str(place.state)}
            source = Vaults(VaultsPolicy(), environ, place.folder).source("local")
            for vendor, secret in (("ibm_quantum", KEY), ("ionq", IONQ_KEY)):
                source.write(vendor, "", SecretValue(secret), governance)
            made = start(kernel=kernel) if kernel else start()
            made.channel = Channel(made.inside.dup())
            stack.callback(made.channel.close)
            return made

        yield lent


def write(place, vendors, entries, **egress):
    document = {
        "apiVersion": "qguard/v1",
        "egress": {
            "mode": "enforce",
            "upstream_proxy": vendors.proxy,
            "ca_bundle": str(vendors.certificate),
            "allow": [{"host": OTHER, "owner": "tests", "reason": "not brokered"}],
            **egress,
        },
        "access": list(entries),
    }
    place.write_policy(yaml.safe_dump(document))


class Client:
    """A client in the kernel: it trusts the kernel's authority and nothing else."""

    def __init__(self, kernel, host, port=443):
        connection, answer = tunnel(kernel, host, port)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        trust = ssl.create_default_context(cadata=kernel.owner.authority_of(kernel.kernel))
        self._http = http.client.HTTPSConnection(host, port)
        self._http.sock = trust.wrap_socket(connection, server_hostname=host)

    def ask(self, method, target, body=None, **headers):
        return self.send(method, target, body, {name.replace("_", "-"): text for name, text in headers.items()})

    def send(self, method, target, body=None, headers=()):
        """With header names as they are."""
        self._http.request(method, target, body, dict(headers))
        answer = self._http.getresponse()
        self.reason, self.headers = answer.reason, answer.headers
        return answer.status, answer.read()

    def close(self):
        self._http.close()


@pytest.fixture
def client():
    with contextlib.ExitStack() as stack:

        def made(kernel, host=API):
            return stack.enter_context(contextlib.closing(Client(kernel, host)))

        yield made


def sign_in(client, kernel):
    """The handle of an access token."""
    handle = kernel.channel.ask("use", name="ibm/dev")["variables"]["QISKIT_IBM_TOKEN"]
    status, body = client(kernel, IAM).ask("POST", "/identity/token", f"grant_type=x&apikey={handle}", **FORM)
    assert status == 200, body
    return json.loads(body)["access_token"]


def test_the_whole_way_from_lease_to_result(lend, vendors, client, place):
    kernel = lend()
    granted = kernel.channel.ask("use", name="ibm/dev")
    handle = granted["variables"]["QISKIT_IBM_TOKEN"]
    assert is_handle(handle)
    assert (granted["custody"], granted["vendor"]) == ("brokered", "ibm_quantum")
    token = sign_in(client, kernel)
    assert is_handle(token)
    api = client(kernel)
    for method, target, body in (
        ("GET", "/api/v1/backends", None),
        ("POST", "/api/v1/jobs", b'{"program_id": "sampler"}'),
        ("GET", "/api/v1/jobs/job-1/results", None),
    ):
        status, _ = api.ask(method, target, body, Authorization=f"Bearer {token}")
        assert status == 200
    assert [each.host for each in vendors.seen] == [IAM, API, API, API]
    assert f"apikey={KEY}" in vendors.seen[0].body.decode()
    assert {each.headers.get("authorization") for each in vendors.seen[1:]} == {f"Bearer {TOKEN}"}
    assert vendors.seen[2].body == b'{"program_id": "sampler"}'
    kernel.owner.stop()
    (lease,) = place.records("lease.granted")[:1]
    assert (lease["data"]["access"], lease["data"]["custody"]) == ("ibm/dev", "brokered")
    (job,) = place.records("job.submitted")
    assert (job["data"]["job"], job["data"]["lease"], job["kernel"]) == ("job-1", lease["data"]["lease"], "kernel-1")
    assert [each["data"]["job"] for each in place.records("result.read")] == ["job-1"]


def test_nothing_that_the_kernel_gets_or_the_guard_writes_holds_a_value(lend, vendors, client, place):
    def echo(seen):
        told = {"headers": seen.headers, "again": base64.b64encode(f"user:{TOKEN}".encode()).decode()}
        return as_json(told, headers=(("Content-Type", "application/json"), ("X-Echo", seen.headers["authorization"])))

    vendors.script["GET /api/v1/backends"] = echo
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    status, body = api.ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    got = body.decode() + str(api.headers)
    assert status == 200
    assert TOKEN not in got
    assert base64.b64encode(f"user:{TOKEN}".encode()).decode()[8:-8] not in got
    kernel.owner.stop()
    for secret in (KEY, TOKEN):
        assert secret.encode() not in kernel.owner.said
        for path in place.folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("headers", "target", "body"),
    [
        ({}, "/api/v1/backends", None),
        ({"Authorization": f"Bearer {value(3)}"}, "/api/v1/backends", None),
        ({"Authorization": "Bearer HANDLE", "X-Copy": "HANDLE"}, "/api/v1/backends", None),
        ({"Authorization": "Bearer HANDLE"}, "/api/v1/backends?q=HANDLE", None),
        ({"Authorization": "Bearer HANDLE"}, "/api/v1/jobs/HANDLE", None),
        ({"Authorization": "Bearer HANDLE"}, "/api/v1/jobs", b'{"token": "HANDLE"}'),
        ({"Authorization": "Bearer HANDLE"}, "/api/v1/jobs", b"x" * 3_000_000 + b"HANDLE"),
        ({"Authorization": "apikey LEASE"}, "/api/v1/backends", None),
        ({"Authorization": "Bearer HANDLE"}, "/api/v1/nothing/here", None),
        ({"Authorization": "Bearer HANDLE"}, "/api/v1/../v1/backends", None),
    ],
)
def test_what_may_not_be_is_refused_recorded_and_told_and_no_value_goes_out(
    lend, vendors, client, place, headers, target, body
):
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    lease = kernel.channel.ask("use", name="ibm/dev")["variables"]["QISKIT_IBM_TOKEN"]
    before = len(vendors.seen)

    def filled(text):
        return text.replace("HANDLE", token).replace("LEASE", lease)

    sent = body.replace(b"HANDLE", token.encode()) if body else None
    named = {name: filled(text) for name, text in headers.items()}
    status, said = api.ask("POST" if body else "GET", filled(target), sent, **named)
    assert status in (400, 401, 403), said
    assert json.loads(said)["cause"] in ("credential", "policy", "guard")
    assert "qguard: " in json.loads(said)["message"]
    assert api.reason.startswith("qguard: ")
    assert len(vendors.seen) == before
    told = wait_for(lambda: kernel.channel.ask("refusals")["refusals"])
    assert told[-1]["host"] == API
    kernel.owner.stop()
    assert [each["data"]["action"] for each in place.records("operation.decided")].count("refuse") == 1


def test_a_handle_of_another_kernel_is_refused(lend, vendors, client, start):
    kernel = lend()
    token = sign_in(client, kernel)
    other = start(owner=kernel.owner, kernel="kernel-2")
    status, said = client(other).ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert (status, "another kernel" in said.decode()) == (403, True)
    assert [each.host for each in vendors.seen] == [IAM]


def test_a_handle_at_another_vendor_and_at_a_host_that_is_not_brokered_is_no_key(lend, vendors, client):
    kernel = lend()
    token = sign_in(client, kernel)
    status, _ = client(kernel, IONQ).ask("GET", "/v0.4/backends", Authorization=f"apiKey {token}")
    assert status == 403
    assert [each.host for each in vendors.seen] == [IAM]


def test_after_release_a_handle_opens_nothing(lend, vendors, client, place):
    kernel = lend()
    token = sign_in(client, kernel)
    assert kernel.channel.ask("release", name="ibm/dev") == {"ended": True}
    status, _ = client(kernel).ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert status == 401
    assert len(vendors.seen) == 1
    assert place.records("lease.revoked")[0]["data"]["reason"] == "released"


def test_a_header_authenticated_vendor_needs_no_exchange(lend, vendors, client):
    kernel = lend()
    handle = kernel.channel.ask("use", name="ionq/dev")["variables"]["IONQ_API_KEY"]
    assert len(handle) == len(IONQ_KEY)
    status, _ = client(kernel, IONQ).ask("GET", "/v0.4/backends", Authorization=f"apiKey {handle}")
    assert status == 200
    assert vendors.seen[-1].headers["authorization"] == f"apiKey {IONQ_KEY}"


def test_a_lost_answer_to_a_submit_is_recorded_and_not_repeated(lend, vendors, client, place):
    vendors.script["POST /api/v1/jobs"] = Answer(drop=True)
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    status, said = api.ask("POST", "/api/v1/jobs", b"{}", Authorization=f"Bearer {token}")
    assert (status, json.loads(said)["cause"]) == (424, "network")
    assert "may exist" in said.decode()
    assert [each.method for each in vendors.seen].count("POST") == 2, "the exchange, and one submit"
    assert len(place.records("job.unknown")) == 1


def test_an_entry_that_the_policy_loses_ends_its_lease(lend, vendors, client, place):
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    write(place, vendors, (access("ionq/dev", "ionq"),))
    wait_for(lambda: place.records("lease.revoked"))
    with contextlib.suppress(OSError, http.client.HTTPException):
        status, _ = api.ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
        assert status != 200
    assert len(vendors.seen) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ibm/none", "no access entry is called"),
        ("old/dev", "ended on"),
        ("theirs/dev", "made out to others"),
        ("lost/dev", "is not there"),
    ],
)
def test_what_is_not_lent_is_refused_with_the_reason_and_recorded(lend, place, vendors, name, reason):
    kernel = lend(
        access("old/dev", "ibm_quantum", expires="2020-01-01"),
        access("theirs/dev", "ibm_quantum", who={"users": ["grace"]}),
        access("lost/dev", "ibm_quantum", secret="local://lost"),
    )
    with pytest.raises(NotDoneError, match=reason):
        kernel.channel.ask("use", name=name)
    kernel.owner.stop()
    (record,) = place.records("lease.refused")
    assert record["data"]["access"] == name
    assert vendors.seen == []


def test_a_dev_entry_never_gets_a_prod_secret(lend):
    kernel = lend(access("ibm/prod", "ibm_quantum", environment="prod"))
    with pytest.raises(NotDoneError, match="it is for dev"):
        kernel.channel.ask("use", name="ibm/prod")


def test_what_the_vendor_compresses_is_not_passed_on(lend, vendors, client):
    vendors.script["GET /api/v1/backends"] = Answer(body=b"\x1f\x8b", headers=(("Content-Encoding", "gzip"),))
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    status, said = api.ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert (status, json.loads(said)["cause"]) == (502, "vendor")


def test_a_host_that_is_not_brokered_passes_as_it_is(lend, vendors):
    kernel = lend()
    connection, _ = tunnel(kernel, OTHER, 443)
    trust = ssl.create_default_context(cafile=vendors.certificate)
    with trust.wrap_socket(connection, server_hostname=OTHER) as secured:
        assert secured.getpeercert()["subject"], "the vendor's own certificate"


def test_in_observe_mode_brokered_hosts_are_judged_all_the_same(lend, vendors, client):
    kernel = lend(mode="observe")
    status, _ = client(kernel).ask("GET", "/api/v1/backends", Authorization=f"Bearer {value(3)}")
    assert status == 403
    assert vendors.seen == []


def test_without_an_audit_log_nothing_is_lent_or_sent(lend, vendors, client):
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    full_from_now_on = (1, resource.RLIM_INFINITY)
    resource.prlimit(kernel.owner.process.pid, resource.RLIMIT_FSIZE, full_from_now_on)
    with pytest.raises(NotDoneError, match="audit"):
        kernel.channel.ask("use", name="ionq/dev")
    status, _ = api.ask("POST", "/api/v1/jobs", b"{}", Authorization=f"Bearer {token}")
    assert status == 503
    assert len(vendors.seen) == 1


def test_what_the_vendor_itself_refuses_has_that_cause_in_the_trail(lend, vendors, client, place):
    vendors.script["POST /identity/token"] = as_json({"errorMessage": f"bad key {KEY}"}, 400)
    kernel = lend()
    handle = kernel.channel.ask("use", name="ibm/dev")["variables"]["QISKIT_IBM_TOKEN"]
    status, said = client(kernel, IAM).ask("POST", "/identity/token", f"grant_type=x&apikey={handle}", **FORM)
    assert (status, KEY.encode() in said) == (400, False)

    def failed():
        decided = [each["data"] for each in place.records("operation.decided")]
        return [(each["action"], each["reason"]) for each in decided if each.get("cause") == "vendor"]

    assert wait_for(failed) == [("allow", "the vendor answered 400")]
