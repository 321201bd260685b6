"""Heads of requests to the proxy: what is understood in one way only goes on, all else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.refusal import Status, http_refusal, one_line
from jupyter_qguard.egress.request import MAX_HEAD, RequestKind, parse_request


@pytest.mark.parametrize(
    ("line", "host", "port"),
    [
        ("CONNECT iam.cloud.ibm.com:443 HTTP/1.1", "iam.cloud.ibm.com", 443),
        ("CONNECT IAM.cloud.ibm.com.:443 HTTP/1.0", "iam.cloud.ibm.com", 443),
        ("CONNECT 0x7f.1:443 HTTP/1.1", "127.0.0.1", 443),
        ("CONNECT [::ffff:10.0.0.1]:8443 HTTP/1.1", "10.0.0.1", 8443),
    ],
)
def test_a_tunnel_is_asked_for(line, host, port):
    request = parse_request(f"{line}\r\nHost: somewhere.else\r\nX: y\r\n\r\n\x16rest".encode("latin-1"))
    assert request is not None
    assert request.kind is RequestKind.TUNNEL
    assert (str(request.destination.host), request.destination.port) == (host, port)
    assert request.rest == b"\x16rest"


def test_a_plain_request_is_built_anew_for_the_host_of_its_url():
    head = (
        b"POST http://qpu.lab.example:8080/a?b=c HTTP/1.1\r\nHost: other.example\r\nProxy-Authorization: x\r\n"
        b"Connection: x-secret\r\nX-Secret: 1\r\nContent-Length: 2\r\n\r\nok"
    )
    request = parse_request(head)
    assert request is not None
    assert request.kind is RequestKind.PLAIN
    assert request.onward == (
        b"POST /a?b=c HTTP/1.1\r\nHost: qpu.lab.example:8080\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    )
    assert request.rest == b"ok"


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT a.example HTTP/1.1",
        "CONNECT a.example:0 HTTP/1.1",
        "CONNECT a.example:70000 HTTP/1.1",
        "CONNECT a.example:443/ HTTP/1.1",
        "CONNECT user@a.example:443 HTTP/1.1",
        "CONNECT evil\x00.a.example:443 HTTP/1.1",
        "CONNECT a.example:443 HTTP/2.0",
        "CONNECT  a.example:443 HTTP/1.1",
        "CONNECT a.example:443 HTTP/1.1 ",
        "CONNECT a.example:443 HTTP/1.1\nX: y",
        "CONNECT a.example:443 HTTP/1.1\r\n folded: y",
        "CONNECT a.example:443 HTTP/1.1\r\nX : y",
        "connect a.example:443 HTTP/1.1",
        "CONNECT a%2eexample:443 HTTP/1.1",
        "CONNECT [::1%25lo]:443 HTTP/1.1",
        "GET / HTTP/1.1\r\nHost: a.example",
        "GET https://a.example/ HTTP/1.1",
        "GET http://u:p@a.example/ HTTP/1.1",
        "GET http://a.example#b HTTP/1.1",
        "GET http://a.example\\@b.example/ HTTP/1.1",
        "TRACE http://a.example/ HTTP/1.1",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: +1",
        "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nHost: b.example",
        "GET http://a.example/ HTTP/1.1\r\nUpgrade: websocket",
        "\x16\x03\x01\x02\x00\x01",
        "GET http://a.example/ HTTP/1.1\r\n" + "\r\n".join(f"X{number}: y" for number in range(101)),
    ],
)
def test_what_is_not_certain_is_refused_and_not_repeated(head):
    with pytest.raises(WireError) as error:
        parse_request(f"{head}\r\n\r\n".encode("latin-1"))
    assert "example" not in str(error.value)


def test_a_head_without_an_end_is_bounded():
    assert parse_request(b"CONNECT a.example:443 HTTP/1.1\r\n") is None
    with pytest.raises(WireError):
        parse_request(b"CONNECT a.example:443 HTTP/1.1\r\nX: " + b"y" * MAX_HEAD)


def test_bytes_of_another_protocol_are_refused_at_once():
    with pytest.raises(WireError):
        parse_request(b"\x16\x03")


@given(st.binary(max_size=400), st.sampled_from([b"", b"CONNECT a.example:443 HTTP/1.1\r\n", b"GET http://a.example/"]))
def test_any_bytes_are_understood_refused_or_waited_for(data, prefix):
    try:
        whole = parse_request(prefix + data)
    except WireError:
        return
    if whole is not None:
        assert parse_request(prefix + data + b"more") is not None


@given(st.text(max_size=600))
def test_a_reason_stays_on_its_line(reason):
    answer = http_refusal(Status.FORBIDDEN, reason)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert len(head.split(b"\r\n")) == 5
    assert body.count(b"\n") == 1
    assert one_line(reason).isascii()
