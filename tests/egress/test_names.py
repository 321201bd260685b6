"""Name service: an address for what is allowed, a refusal for all else, and never a crash."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.egress.errors import WireError
from jupyter_qguard.egress.names import MAX_NAMES, POOL, NameTable, answer_question
from jupyter_qguard.policy.host import Host, HostPattern

PATTERN = HostPattern.parse("*.example.org")


def question(name: str, kind: int = 1, *, flags: int = 0x0100, of: int = 1, more: bytes = b"", extra: int = 0) -> bytes:
    labels = b"".join(bytes((len(label),)) + label.encode("latin-1") for label in name.split("."))
    counts = b"\x00\x01\x00\x00\x00\x00" + extra.to_bytes(2, "big")
    tail = b"\x00" + kind.to_bytes(2, "big") + of.to_bytes(2, "big")
    return b"\xab\xcd" + flags.to_bytes(2, "big") + counts + labels + tail + more


def code(message: bytes) -> int:
    return message[3] & 15


def test_an_allowed_name_gets_an_address_of_its_own_and_keeps_it():
    table = NameTable()
    first = answer_question(question("a.example.org"), table, PATTERN.matches).message
    assert first[:2] == b"\xab\xcd"
    assert code(first) == 0
    address = IPv4Address(first[-4:])
    assert address in POOL
    assert table.host_at(str(address)) == Host("a.example.org")
    assert answer_question(question("A.Example.ORG"), table, PATTERN.matches).message[-4:] == first[-4:]
    assert answer_question(question("b.example.org"), table, PATTERN.matches).message[-4:] != first[-4:]


def test_a_table_that_recalls_names_gives_each_the_address_that_it_had():
    names = [f"n{number}.example.org" for number in range(5)]
    first, second = NameTable(), NameTable()
    answers = [answer_question(question(name), first, PATTERN.matches) for name in [*names, names[0]]]
    assert [answer.learned for answer in answers] == [*names, ""]
    second.recall(names[:2])
    second.recall(names[2:])
    for name, answer in zip(names, answers, strict=False):
        again = answer_question(question(name), second, PATTERN.matches)
        assert (again.message, again.learned) == (answer.message, "")


def test_other_kinds_of_records_of_an_allowed_name_are_empty():
    for kind in (28, 16, 65, 255):
        answer = answer_question(question("a.example.org", kind), NameTable(), PATTERN.matches).message
        assert (code(answer), answer[6:8]) == (0, b"\x00\x00")


@pytest.mark.parametrize("kind", [1, 28, 16, 10, 255])
@pytest.mark.parametrize(
    "name", ["evil.example", "example.org", "secret.data.evil.example", "127.0.0.1", "a b.example.org"]
)
def test_every_other_name_is_refused_and_told(name, kind):
    table = NameTable()
    answer = answer_question(question(name, kind), table, PATTERN.matches)
    assert code(answer.message) == 5
    assert answer.refused
    assert table.host_at(str(POOL[1])) is None


def test_a_label_with_a_dot_is_no_other_name():
    message = question("XX.example.org").replace(b"\x02XX", b"\x03a.b")
    assert code(answer_question(message, NameTable(), PATTERN.matches).message) == 4


def test_edns_is_understood_as_a_question():
    more = b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
    answer = answer_question(question("a.example.org", more=more, extra=1), NameTable(), PATTERN.matches).message
    assert code(answer) == 0


@pytest.mark.parametrize(
    "message",
    [
        question("a.example.org", flags=0x2800),
        question("a.example.org", of=3),
        question("a.example.org")[:20],
        question("a.example.org").replace(b"\x00\x01\x00\x00", b"\x00\x02\x00\x00", 1),
        question("a.example.org")[:12] + b"\xc0\x0c\x00\x01\x00\x01",
    ],
)
def test_odd_questions_get_an_error_and_no_address(message):
    answer = answer_question(message, NameTable(), PATTERN.matches).message
    assert code(answer) in (1, 4)
    assert answer[6:8] == b"\x00\x00"


@pytest.mark.parametrize("message", [b"", b"x" * 11, question("a.example.org", flags=0x8180), b"x" * 513])
def test_what_is_no_question_is_not_answered(message):
    with pytest.raises(WireError):
        answer_question(message, NameTable(), PATTERN.matches)


def test_the_table_is_bounded():
    table = NameTable()
    assert all(table.address_of(Host(f"n{number}.example.org")) for number in range(MAX_NAMES))
    answer = answer_question(question("a.example.org"), table, PATTERN.matches)
    assert code(answer.message) == 2
    assert answer.refused


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_have_an_answer_or_none(data, prefixed):
    message = question("a.example.org")[:12] + data if prefixed else data
    try:
        answer = answer_question(message, NameTable(), PATTERN.matches)
    except WireError:
        return
    assert len(answer.message) <= len(message) + 16
