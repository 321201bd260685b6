"""A change of the policy reaches what runs, and a broken one changes nothing."""

from __future__ import annotations

import time

from jupyter_qguard.gateway import control
from tests.gateway.client import get, rest, secure, tunnel
from tests.gateway.owner import entry


def test_an_entry_that_is_added_is_in_force_without_a_restart(start, place, vendor):
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")
    place.policy(entry("api.vendor.test", vendor.port))
    assert kernel.owner.expect(control.PolicyChanged).ports == (vendor.port,)
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(place.records("policy.loaded")) == 2


def test_an_open_connection_that_is_no_longer_allowed_is_closed_within_two_seconds(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port), entry("other.vendor.test", vendor.port))
    kernel = start()
    client, _ = tunnel(kernel, "api.vendor.test", vendor.port)
    other, _ = tunnel(kernel, "other.vendor.test", vendor.port)
    with secure(client, trust, "api.vendor.test") as secured, secure(other, trust, "other.vendor.test") as kept:
        get(secured, "api.vendor.test", keep=True)
        get(kept, "other.vendor.test", keep=True)
        place.policy(entry("other.vendor.test", vendor.port))
        began = time.monotonic()
        secured.unwrap  # noqa: B018 - the raw bytes below are what counts
        secured.settimeout(2.0)
        try:
            closed = secured.recv(1) == b""
        except OSError as error:
            closed = not isinstance(error, TimeoutError)
        assert closed
        assert time.monotonic() - began < 2.0
        assert get(kept, "other.vendor.test", keep=True) == (200, b"result")
    assert "closed, no longer allowed" in kernel.owner.expect(control.Refused).reason


def test_a_broken_edit_keeps_the_last_good_policy_and_says_so(start, place, vendor):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    place.write_policy("apiVersion: qguard/v1\negress: {allow: [{host: '*'}]}\n")
    changed = kernel.owner.expect(control.PolicyChanged)
    assert any("stays in force" in notice for notice in changed.notices)
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 200")
    client, answer = tunnel(kernel, "elsewhere.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")


def test_observing_lets_through_and_records_what_would_be_refused(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port), mode="observe")
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    assert answer.startswith(b"HTTP/1.1 200")
    with secure(client, trust, "other.vendor.test") as secured:
        assert get(secured, "other.vendor.test") == (200, b"result")
    kernel.owner.stop()
    decided = [(each["data"]["action"], each["data"].get("would", "")) for each in place.records()]
    assert decided == [("allow", ""), ("allow", "refuse")]


def test_who_an_entry_is_made_out_to_counts_by_the_name_of_the_owner(start, place, vendor):
    place.policy(
        entry("api.vendor.test", vendor.port), deny=[{"host": "api.vendor.test", "owner": "t", "reason": "audit"}]
    )
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    with client:
        assert b"`api.vendor.test` is refused by the policy: audit" in answer + rest(client)
