"""Leases from outside of kernels, by the real command: shown, ended, and what is under way broken off."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading

import pytest

from tests.gateway.owner import PATIENCE
from tests.gateway.test_brokered import KEY, TOKEN, client, lend, sign_in, vendors  # noqa: F401 - fixtures
from tests.gateway.vendors import Answer, as_json

_CHANGES = [("ibm/dev",), ("kernel-1",), ("--all",)]


@pytest.fixture
def leases(place):
    """The command; its exit code and what it says."""

    def run(*arguments):
        environ = {**os.environ, "HOME": str(place.folder), "XDG_STATE_HOME": str(place.state)}
        command = [sys.executable, "-m", "jupyter_qguard.cli", "leases", *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert KEY not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


def revoke(leases, *which):
    return leases("revoke", *(which or ("ibm/dev",)), "--reason", "rotated")


class Asked(threading.Thread):
    """A request under way."""

    def __init__(self, api, *arguments, **headers):
        super().__init__()
        self._ask = lambda: api.ask(*arguments, **headers)
        self.said = None
        self.start()

    def run(self):
        try:
            self.said = self._ask()
        except (OSError, http.client.HTTPException) as error:
            self.said = error


@pytest.fixture
def held():
    """A vendor that begins to answer and then waits; where the test fails it goes on."""
    begun, go_on = threading.Event(), threading.Event()

    def wait():
        begun.set()
        go_on.wait(PATIENCE)

    wait.begun, wait.go_on = begun, go_on
    yield wait
    go_on.set()


def test_what_is_lent_is_shown_without_handles_and_values(lend, client, leases, place):  # noqa: F811
    kernel = lend()
    assert leases("list") == (0, "Nothing is lent.\n")
    token = sign_in(client, kernel)
    code, said = leases("list", "--format", "json")
    (lease,) = json.loads(said)["leases"]
    assert (code, lease["access"], lease["kernel"], lease["custody"]) == (0, "ibm/dev", "kernel-1", "brokered")
    assert lease["lease"] == place.records("lease.granted")[0]["data"]["lease"]
    code, said = leases("list")
    assert (code, "ibm/dev" in said, "brokered" in said) == (0, True, True)
    assert token not in said


@pytest.mark.parametrize("which", _CHANGES, ids="".join)
def test_what_is_revoked_opens_nothing_from_then_on(lend, vendors, client, leases, place, which):  # noqa: F811
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    code, said = revoke(leases, *which)
    assert (code, "ibm/dev, lent to kernel kernel-1, is ended" in said) == (0, True), said
    status, _ = api.ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert (status, len(vendors.seen)) == (401, 1)
    assert place.records("lease.revoked")[0]["data"]["reason"] == "revoked from outside: rotated"
    assert revoke(leases, *which) == (1, "Nothing of that is lent.\n")


def test_another_lease_stays(lend, client, leases):  # noqa: F811
    kernel = lend()
    token = sign_in(client, kernel)
    kernel.channel.ask("use", name="ionq/dev")
    assert revoke(leases, "ionq/dev")[0] == 0
    assert revoke(leases, "ibm")[0] == 1, "the beginning of a name is no name"
    status, _ = client(kernel).ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert status == 200


def test_a_request_that_waits_for_its_answer_is_broken_off(lend, vendors, client, leases, held):  # noqa: F811
    def answer(_):
        held()
        return as_json({"devices": [TOKEN]})

    vendors.script["GET /api/v1/backends"] = answer
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    asked = Asked(api, "GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert held.begun.wait(PATIENCE)
    assert revoke(leases)[0] == 0
    asked.join(PATIENCE)
    assert asked.said[0] == 401
    assert b"ended while the request was under way" in asked.said[1]


def test_an_answer_under_way_is_broken_off(lend, vendors, client, leases, held):  # noqa: F811
    vendors.script["GET /api/v1/jobs/job-1/results"] = Answer(body=b"x" * (1 << 20), halfway=held)
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    asked = Asked(api, "GET", "/api/v1/jobs/job-1/results", Authorization=f"Bearer {token}")
    assert held.begun.wait(PATIENCE)
    assert revoke(leases)[0] == 0
    asked.join(PATIENCE)
    assert isinstance(asked.said, Exception), "an answer that is not whole does not look like one"


def test_a_submit_under_way_may_be_a_job(lend, vendors, client, leases, place, held):  # noqa: F811
    def answer(_):
        held()
        return as_json({"id": "job-1"})

    vendors.script["POST /api/v1/jobs"] = answer
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    asked = Asked(api, "POST", "/api/v1/jobs", b"{}", Authorization=f"Bearer {token}")
    assert held.begun.wait(PATIENCE)
    assert revoke(leases)[0] == 0
    asked.join(PATIENCE)
    assert asked.said[0] == 424
    assert len(place.records("job.unknown")) == 1


def test_a_lease_that_is_released_meanwhile_leaves_no_value_in_an_echo(lend, vendors, client):  # noqa: F811
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)

    def echo(_):
        assert kernel.channel.ask("release", name="ibm/dev") == {"ended": True}
        return as_json({"echo": [TOKEN, KEY]})

    vendors.script["GET /api/v1/backends"] = echo
    status, said = api.ask("GET", "/api/v1/backends", Authorization=f"Bearer {token}")
    assert status == 401
    assert TOKEN.encode() not in said
    assert KEY.encode() not in said


def break_off():
    raise ConnectionError


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (Answer(503), 503, "the vendor answered 503"),
        (Answer(body=b'{"id": "job-1"}' * 9, halfway=break_off), 424, "no answer came after the request was sent"),
    ],
    ids=["a server's failure", "an answer that breaks off"],
)
def test_a_submit_without_a_good_answer_is_an_unknown_job(lend, vendors, client, place, answer, status, detail):  # noqa: F811
    vendors.script["POST /api/v1/jobs"] = answer
    kernel = lend()
    api, token = client(kernel), sign_in(client, kernel)
    assert api.ask("POST", "/api/v1/jobs", b"{}", Authorization=f"Bearer {token}")[0] == status
    assert [each["data"]["detail"] for each in place.records("job.unknown")] == [detail]
    assert not place.records("job.submitted")


def test_without_a_gateway_the_command_says_so(leases):
    code, said = leases("list")
    assert (code, "no gateway of yours is running" in said) == (4, True)


@pytest.mark.parametrize("arguments", [(), ("ibm/dev", "--all"), ("ibm/dev", "--reason", " ")])
def test_wrong_usage(leases, arguments):
    reason = () if "--reason" in arguments else ("--reason", "r")
    assert leases("revoke", *arguments, *reason)[0] == 2
