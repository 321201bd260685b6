"""A gateway that is killed between a submit and its answer: never two jobs for one call, never a job without a record."""

from __future__ import annotations

import http.client
import os
import random
import signal

import pytest

from tests.gateway.test_brokered import client, lend, sign_in, vendors  # noqa: F401 - fixtures
from tests.gateway.vendors import Answer

_MOMENTS = ("before the answer", "in its head", "in its body")


def killed_once(lend, vendors, client, place, moment):  # noqa: F811
    kernel = lend()
    pid = kernel.owner.process.pid
    vendors.seen.clear()

    def kill(*_):
        os.kill(pid, signal.SIGKILL)

    def answer(_):
        if moment == _MOMENTS[0]:
            kill()
        long = b'{"id": "job-1"' + b" " * (1 << 20) + b"}"
        return Answer(body=long if moment == _MOMENTS[2] else b'{"id": "job-1"}', halfway=kill)

    vendors.script["POST /api/v1/jobs"] = answer
    api, token = client(kernel), sign_in(client, kernel)
    with pytest.raises((OSError, http.client.HTTPException)):
        api.ask("POST", "/api/v1/jobs", b"{}", Authorization=f"Bearer {token}")
    kernel.owner.kill()  # what is left of it
    jobs = [each for each in vendors.seen if each.target == "/api/v1/jobs"]
    assert len(jobs) == 1
    lease = place.records("lease.granted")[-1]["data"]["lease"]
    sent = [each["data"] for each in place.records("operation.decided") if each["data"]["operation"] == "submit"]
    assert [each["action"] for each in sent if each["lease"] == lease] == ["allow"]


@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_submit_goes_out_once_and_stands_in_the_trail(lend, vendors, client, place, moment):  # noqa: F811
    killed_once(lend, vendors, client, place, moment)


@pytest.mark.long
def test_a_hundred_times(lend, vendors, client, place):  # noqa: F811
    choice = random.Random(4)
    for _ in range(100):
        killed_once(lend, vendors, client, place, choice.choice(_MOMENTS))
    assert len(place.records("lease.granted")) == 100
