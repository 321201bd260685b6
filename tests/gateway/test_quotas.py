"""Quotas outlive a gateway: the trail knows what was done."""

from __future__ import annotations

import resource

import pytest

from jupyter_qguard.kernel.channel import NotDoneError
from tests.gateway.owner import wait_for
from tests.gateway.test_brokered import access, client, lend, sign_in, vendors, write  # noqa: F401 - fixtures
from tests.gateway.vendors import Answer


def submit(api, token):
    return api.ask("POST", "/api/v1/jobs", b"{}", Authorization=f"Bearer {token}")[0]


def limited(quota):
    return access("ibm/dev", "ibm_quantum", quota={"submit": quota})


def test_a_new_gateway_counts_what_the_one_before_did(lend, vendors, client):  # noqa: F811
    kernel = lend(limited("3/day"))
    api, token = client(kernel), sign_in(client, kernel)
    assert submit(api, token) == 200
    vendors.script["POST /api/v1/jobs"] = Answer(400)
    assert submit(api, token) == 400, "what the vendor refuses was asked all the same"
    kernel.owner.kill()
    again = lend(limited("3/day"))
    api, token = client(again), sign_in(client, again)
    assert [submit(api, token), submit(api, token)] == [400, 429]
    assert len([each for each in vendors.seen if each.target == "/api/v1/jobs"]) == 3


def test_a_quota_that_the_policy_gets_later_counts_what_was_done_before(lend, vendors, client, place):  # noqa: F811
    kernel = lend(access("ibm/dev", "ibm_quantum"))
    api, token = client(kernel), sign_in(client, kernel)
    assert submit(api, token) == 200
    write(place, vendors, [limited("1/day")])
    assert wait_for(lambda: len(place.records("policy.loaded")) == 2)
    assert wait_for(lambda: submit(client(kernel), token) == 429)


def test_without_a_readable_trail_nothing_with_a_quota_is_lent(lend, place):  # noqa: F811
    kernel = lend(limited("1/day"))
    for each in (place.state / "jupyter-qguard" / "audit").iterdir():
        each.unlink()
    (place.state / "jupyter-qguard" / "audit").rmdir()
    resource.prlimit(kernel.owner.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    with pytest.raises(NotDoneError, match="audit log"):
        kernel.channel.ask("use", name="ibm/dev")
