"""Ways through the proxy door of a real gateway process: what is let through, what is refused and how that is said."""

from __future__ import annotations

import http.client
import ssl
import urllib.request

import pytest

from jupyter_qguard.gateway import control
from tests.egress.greetings import fragmented, greeting
from tests.gateway.client import get, head, rest, secure, tunnel
from tests.gateway.owner import entry, wait_for


def test_an_allowed_host_is_reached_through_a_tunnel_and_recorded_before(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
    with secure(client, trust, "api.vendor.test") as secured:
        assert get(secured, "api.vendor.test") == (200, b"result")
    (record,) = place.records()
    assert record["kernel"] == "kernel-1"
    assert record["notebook"] == "work.ipynb"
    assert record["user"] == "ada"
    assert record["source"] == "/qguard/gateway"
    expected = {"action": "allow", "host": "api.vendor.test", "port": vendor.port, "reason": "egress.allow[0]"}
    assert expected.items() <= record["data"].items()


def test_real_clients_pass(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    address, port = kernel.proxy.getsockname()
    client = http.client.HTTPSConnection(address, port, context=trust)
    client.set_tunnel("api.vendor.test", vendor.port)
    client.request("POST", "/jobs", body=b"x" * 100_000)
    assert client.getresponse().read() == b"x" * 100_000
    client.close()
    proxy = urllib.request.ProxyHandler({"https": f"http://{address}:{port}"})
    opener = urllib.request.build_opener(proxy, urllib.request.HTTPSHandler(context=trust))
    with opener.open(f"https://api.vendor.test:{vendor.port}/a", timeout=30) as answer:
        assert answer.read() == b"result"


def test_an_unlisted_host_is_refused_with_the_reason_in_the_status_line_and_to_the_person(start, place, vendor):
    kernel = start()
    client, answer = tunnel(kernel, "elsewhere.test", vendor.port)
    with client:
        assert answer.startswith(b"HTTP/1.1 403 Forbidden: qguard: `elsewhere.test` is not on the allowlist")
        assert b"qguard: `elsewhere.test` is not on the allowlist" in rest(client)
    told = kernel.owner.expect(control.Refused)
    assert (told.kernel, told.host, told.port) == ("kernel-1", "elsewhere.test", vendor.port)
    assert "is not on the allowlist" in told.reason
    kernel.owner.stop()
    assert vendor.connections == 0
    (record,) = place.records()
    assert record["data"]["action"] == "refuse"
    assert record["data"]["host"] == "elsewhere.test"


def test_a_port_that_the_entry_does_not_name_is_refused(start, place, vendor):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", 444)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")
    assert f"is allowed on port {vendor.port}, not on 444".encode() in answer


@pytest.mark.parametrize("named", ["elsewhere.test", None])
@pytest.mark.parametrize("cut", [False, True])
def test_a_greeting_that_names_another_host_or_none_is_refused_by_an_alert(start, place, vendor, named, cut):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", vendor.port)
    assert answer.startswith(b"HTTP/1.1 200")
    with client:
        client.sendall(fragmented(greeting(named), 40) if cut else greeting(named))
        assert rest(client) == b"\x15\x03\x03\x00\x02\x02\x31"
    assert "TLS greeting" in kernel.owner.expect(control.Refused).reason
    assert vendor.names == []


def test_fronting_by_another_name_does_not_reach_a_server_that_would_take_it(start, place, vendor, trust):
    """The stand-in has one certificate for both names, as the edge of a CDN has: only the gateway holds it."""
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, _ = tunnel(kernel, "api.vendor.test", vendor.port)
    with client, pytest.raises((ssl.SSLError, ConnectionError)):
        secure(client, trust, "other.vendor.test")
    assert vendor.names == []


def test_what_is_no_tls_is_refused_unless_the_entry_is_plain(start, place, vendor):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    client, _ = tunnel(kernel, "api.vendor.test", vendor.port, early=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    with client:
        assert head(client).startswith(b"HTTP/1.1 403 Forbidden: qguard: `api.vendor.test` must be spoken to with TLS")
    assert vendor.seen == []


@pytest.mark.parametrize(
    "text",
    [
        b"CONNECT api.vendor.test HTTP/1.1\r\n\r\n",
        b"CONNECT api.vendor.test:443 HTTP/1.1\r\nA B\r\n\r\n",
        b"GET /relative HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"CONNECT " + b"a" * 20_000,
    ],
)
def test_what_is_no_request_is_answered_with_400_and_closed(start, text):
    kernel = start()
    with kernel.connect() as client:
        client.sendall(text)
        assert rest(client).startswith(b"HTTP/1.1 400 Bad Request: qguard: ")


def test_a_name_without_an_address_is_no_gateway_error_of_the_guard_but_502(start, place, vendor):
    place.policy(entry("nowhere.vendor.test", vendor.port))
    kernel = start()
    client, answer = tunnel(kernel, "nowhere.vendor.test", vendor.port)
    client.close()
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway: qguard: `nowhere.vendor.test` has no address")


def test_a_server_that_does_not_listen_is_502(start, place):
    place.policy(entry("api.vendor.test", 1))
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", 1)
    client.close()
    assert answer.startswith(
        b"HTTP/1.1 502 Bad Gateway: qguard: `api.vendor.test` cannot be reached: Connection refused"
    )


def test_further_connections_to_the_same_host_are_counted_in_one_record(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start()
    for _ in range(4):
        client, _ = tunnel(kernel, "api.vendor.test", vendor.port)
        with secure(client, trust, "api.vendor.test") as secured:
            get(secured, "api.vendor.test")
    answer = kernel.owner.ask(control.CloseDoors, kernel="kernel-1")
    assert isinstance(answer, control.Done)
    first, further = place.records()
    assert first["data"].get("count", 1) == 1
    assert further["data"]["count"] == 3


def test_the_name_of_a_refused_host_is_recorded_without_what_it_may_carry(start, place):
    kernel = start()
    carried = "k3y9x2q8w7z1v5b4n6m0" * 2
    client, answer = tunnel(kernel, f"{carried}.elsewhere.test", 443)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")
    assert wait_for(lambda: kernel.owner.expect(control.Refused)).host == "k3y9\N{HORIZONTAL ELLIPSIS}.elsewhere.test"
    kernel.owner.stop()
    assert carried not in str(place.records())
    assert carried[:20] not in str(place.records())
