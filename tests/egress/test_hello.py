"""TLS greetings: real ones are read at any cut, damaged ones never crash and never gain another name unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.hello import MAX_HELLO, ClientHello, parse_hello
from tests.egress.greetings import fragmented, greeting

REAL = greeting("quantum.example.org")


@given(st.integers(0, len(REAL) - 1), st.integers(1, 700))
def test_the_name_is_read_from_a_whole_greeting_and_not_before(cut, size):
    assert parse_hello(REAL) == ClientHello("quantum.example.org")
    assert parse_hello(REAL[:cut]) is None
    pieces = fragmented(REAL, size)
    assert parse_hello(pieces) == ClientHello("quantum.example.org")
    assert parse_hello(pieces[: min(cut, len(pieces) - 1)]) is None


def test_a_client_may_name_no_host():
    assert parse_hello(greeting(None)) == ClientHello("")
    assert parse_hello(greeting("127.0.0.1")) == ClientHello("")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x80\x2e\x01\x03\x01",
        b"\x16\x02",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        REAL[:43] + b"\xff" + REAL[44:],
    ],
)
def test_what_is_no_greeting_is_refused(data):
    with pytest.raises(WireError):
        parse_hello(data + b"\x00" * 400)


def test_two_names_or_a_second_message_in_the_record_are_refused():
    name = b"quantum.example.org"
    at = REAL.index(name)
    extension = REAL[at - 9 : at + len(name)]
    longer = bytearray(REAL[: at + len(name)] + extension + REAL[at + len(name) :])
    for place, size in ((3, 2), (6, 3)):
        number = int.from_bytes(longer[place : place + size], "big") + len(extension)
        longer[place : place + size] = number.to_bytes(size, "big")
    with pytest.raises(WireError):
        parse_hello(bytes(longer))
    record = bytearray(REAL + b"\x01\x00\x00\x00")
    record[3:5] = (int.from_bytes(record[3:5], "big") + 4).to_bytes(2, "big")
    with pytest.raises(WireError, match="another message"):
        parse_hello(bytes(record))


def test_a_record_is_waited_for_to_its_end():
    """Found by the property below: a record that goes on after the greeting was taken for whole before it was there."""
    longer = bytearray(REAL)
    longer[3:5] = (int.from_bytes(REAL[3:5], "big") + 1).to_bytes(2, "big")
    assert parse_hello(bytes(longer)) is None
    with pytest.raises(WireError):
        parse_hello(bytes(longer) + b"x")


def test_a_greeting_is_bounded():
    endless = b"\x16\x03\x01\x40\x00\x01\x00\xff\x00" + b"\x00" * ((1 << 14) - 4)
    with pytest.raises(WireError):
        parse_hello((endless + (b"\x16\x03\x01\x40\x00" + b"\x00" * (1 << 14)) * 4)[: MAX_HELLO + 9])


@given(st.data())
def test_damage_never_crashes_and_bytes_behind_it_change_nothing(data):
    damaged = bytearray(REAL)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(REAL) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = parse_hello(bytes(damaged))
    except WireError:
        return
    if found is not None:
        assert parse_hello(bytes(damaged) + b"\x17\x03\x03\x00\x01x") == found


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_waited_for(data):
    try:
        found = parse_hello(b"\x16\x03\x01" + data)
    except WireError:
        return
    assert found is None or found.server_name.isascii()
