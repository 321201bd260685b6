"""Connections by name, without a proxy: the name service and the listeners that it leads to."""

from __future__ import annotations

import socket
import ssl

import pytest

from jupyter_qguard.gateway import control
from tests.gateway.client import ask, get, question, read_answer, rest, secure
from tests.gateway.owner import PATIENCE, entry
from tests.gateway.upstream import Upstream

REFUSED = 5


def connect(address, port):
    return socket.create_connection((address, port), timeout=PATIENCE)


def test_an_allowed_name_gets_an_address_that_leads_to_it(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port))
    kernel = start(direct_ports=[vendor.port])
    assert ask(kernel, "api.vendor.test") == (0, "127.64.0.1")
    with secure(connect("127.64.0.1", vendor.port), trust, "api.vendor.test") as secured:
        assert get(secured, "api.vendor.test") == (200, b"result")
    assert place.records()[0]["data"]["host"] == "api.vendor.test"


def test_the_owner_has_a_name_before_the_kernel_has_its_address(start, place, vendor):
    place.policy(entry("*.vendor.test", vendor.port))
    kernel = start()
    for name in ("a.vendor.test", "b.vendor.test", "a.vendor.test"):
        ask(kernel, name)
    kernel.owner.stop()
    learned = [each.name for each in kernel.owner.told if isinstance(each, control.Learned)]
    assert learned == ["a.vendor.test", "b.vendor.test"]


def test_a_name_that_is_not_allowed_is_refused_and_recorded_once(start, place):
    kernel = start()
    assert {ask(kernel, "elsewhere.test") for _ in range(3)} == {(REFUSED, "")}
    assert kernel.owner.expect(control.Refused).host == "elsewhere.test"
    kernel.owner.stop()
    (record,) = place.records()
    assert (record["data"]["host"], record["data"]["port"], record["data"]["count"]) == ("elsewhere.test", 0, 3)


def test_questions_over_tcp_are_answered_in_their_order(start, place):
    place.policy(entry("api.vendor.test", 443))
    kernel = start()
    with socket.create_connection(kernel.stream.getsockname(), timeout=PATIENCE) as client:
        asked = [question("api.vendor.test"), question("elsewhere.test", number=8)]
        stream = b"".join(len(each).to_bytes(2, "big") + each for each in asked)
        client.sendall(stream[:9])
        client.sendall(stream[9:])
        client.shutdown(socket.SHUT_WR)
        answers = rest(client)
    first = int.from_bytes(answers[:2], "big")
    assert read_answer(answers[2 : 2 + first]) == (0, "127.64.0.1")
    assert read_answer(answers[4 + first :]) == (REFUSED, "")


@pytest.mark.parametrize("stream", [b"\xff\xff" + b"a" * 3000, b"\0\0", b"\0\5hello"])
def test_what_is_no_question_closes_the_stream(start, stream):
    kernel = start()
    with socket.create_connection(kernel.stream.getsockname(), timeout=PATIENCE) as client:
        client.sendall(stream)
        assert rest(client) == b""


def test_an_address_that_no_name_has_is_refused(start, place, vendor):
    place.policy(entry("api.vendor.test", vendor.port))
    start(direct_ports=[vendor.port])
    with connect("127.64.0.2", vendor.port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n")
        assert rest(client).startswith(b"HTTP/1.1 403 Forbidden: qguard: no name was given this address")
    assert vendor.connections == 0


def test_the_greeting_must_name_what_the_address_stands_for(start, place, vendor, trust):
    place.policy(entry("api.vendor.test", vendor.port), entry("other.vendor.test", vendor.port))
    kernel = start(direct_ports=[vendor.port])
    assert ask(kernel, "api.vendor.test") == (0, "127.64.0.1")
    with connect("127.64.0.1", vendor.port) as client, pytest.raises(ssl.SSLError, match="ACCESS_DENIED"):
        secure(client, trust, "other.vendor.test")
    assert vendor.names == []


def test_a_plain_entry_is_spoken_to_without_tls_by_name_and_through_the_proxy(start, place):
    with Upstream(body=b"plain") as lab:
        place.policy(entry("api.vendor.test", lab.port, plain=True))
        kernel = start(direct_ports=[lab.port])
        ask(kernel, "api.vendor.test")
        with connect("127.64.0.1", lab.port) as client:
            assert get(client, "api.vendor.test") == (200, b"plain")
        with kernel.connect() as client:
            client.sendall(f"GET http://api.vendor.test:{lab.port}/a HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert rest(client).endswith(b"plain")
        path, headers = lab.seen[-1]
    assert path == "/a"
    assert headers == {"Host": f"api.vendor.test:{lab.port}", "Connection": "close"}


def test_a_plain_request_for_an_entry_with_tls_is_refused(start, place):
    with Upstream() as lab:
        place.policy(entry("api.vendor.test", lab.port))
        kernel = start()
        with kernel.connect() as client:
            client.sendall(f"GET http://api.vendor.test:{lab.port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert rest(client).startswith(
                b"HTTP/1.1 403 Forbidden: qguard: `api.vendor.test` is allowed with TLS only: use https://"
            )
        assert lab.connections == 0


def test_a_restarted_gateway_keeps_the_addresses_and_the_listeners(start, place, vendor, trust):
    place.policy(entry("*.vendor.test", vendor.port))
    kernel = start(direct_ports=[vendor.port])
    ask(kernel, "other.vendor.test")
    ask(kernel, "api.vendor.test")
    kernel.owner.kill()
    learned = tuple(each.name for each in kernel.owner.told if isinstance(each, control.Learned))
    waiting = connect("127.64.0.2", vendor.port)
    kernel.owner.start()
    for name in learned:
        control.send_message(kernel.owner.end, control.Recall(kernel=kernel.kernel, names=(name,)))
    kernel.open()
    with secure(waiting, trust, "api.vendor.test") as secured:
        assert get(secured, "api.vendor.test") == (200, b"result")
    assert ask(kernel, "third.vendor.test") == (0, "127.64.0.3")
