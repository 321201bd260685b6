"""Where a name leads is checked when it is known, whatever the name is: the guard that rebinding has to get past."""

from __future__ import annotations

import pytest

from tests.gateway.client import get, secure, tunnel
from tests.gateway.owner import entry
from tests.gateway.upstream import Upstream


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "::1",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
    ],
)
@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_name_that_leads_into_the_machine_or_the_local_network_is_refused_in_every_mode(
    start, place, vendor, address, mode
):
    listed = {"host": "api.vendor.test", "ports": [vendor.port], "owner": "tests", "reason": "public"}
    place.policy(*([listed] if mode == "enforce" else []), mode=mode)
    place.names({"api.vendor.test": [address]})
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403 Forbidden: qguard: `api.vendor.test` may not be reached: ")
    assert vendor.connections == 0


def test_only_acceptable_addresses_of_a_name_are_dialled(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port, addresses=["127.0.0.1/32"]))
    place.names({"api.vendor.test": ["127.0.0.9", "10.0.0.1", "127.0.0.1"]})
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    assert answer.startswith(b"HTTP/1.1 200")
    with secure(client, trust, "api.vendor.test") as secured:
        assert get(secured, "api.vendor.test") == (200, b"result")


def test_a_name_that_leads_elsewhere_the_next_time_is_checked_again(start, place, vendor):
    """The first address does not answer, so that the name is looked up anew for the second connection."""
    place.policy(entry("api.vendor.test", vendor.port, addresses=["127.0.0.9/32"]))
    place.names({"api.vendor.test": ["127.0.0.9"]})
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 502")
    place.names({"api.vendor.test": ["127.0.0.1"]})
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    client.close()
    assert b"127.0.0.1 is not among the `addresses` of the entry" in answer
    assert vendor.connections == 0


@pytest.mark.parametrize("literal", ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
def test_an_address_that_nothing_lists_is_refused_in_every_spelling(start, place, vendor, literal):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, answer = tunnel(kernel, literal, vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")
    assert vendor.connections == 0


def test_a_listed_address_of_ipv6_is_reached_without_a_name_in_the_greeting(start, place, certificate, trust):
    with Upstream(certificate, address="::1") as vendor:
        place.policy(entry("::1", vendor.port))
        kernel = start()
        client, answer = tunnel(kernel, "[::1]", vendor.port)
        assert answer.startswith(b"HTTP/1.1 200")
        trust.check_hostname = False
        with secure(client, trust, None) as secured:
            assert get(secured, "[::1]") == (200, b"result")
    assert vendor.names == [None]
