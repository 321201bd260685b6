"""Token exchanges: handles go in and come out, the vendor sees the key and the kernel no token."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.broker.exchange import Answered, read_answer, read_request, request_body
from jupyter_qguard.broker.judge import Request
from jupyter_qguard.broker.refusal import RequestRefusedError
from jupyter_qguard.secret import is_handle
from tests.broker.lent import NOW, Lent, value

FORM = "application/x-www-form-urlencoded"
TOKEN = "eyJraWQiOiIx.eyJleHAiOjF9.c2lnbmF0dXJl"


@pytest.fixture
def lent():
    return Lent(host="iam.cloud.ibm.com")


def exchange(lent, body):
    ruling = lent.judge.rule(lent.place, Request("POST", "/identity/token", (("content-type", FORM),)))
    asked = read_request(ruling.exchange, FORM, body.encode())
    _, values = lent.judge.exchanged(lent.place, ruling, asked)
    return request_body(asked, values)


def test_the_key_stands_in_the_field_that_held_the_handle(lent):
    sent = parse_qs(exchange(lent, f"grant_type=urn%3Aibm&apikey={lent.handle}&response_type=cloud_iam").decode())
    assert sent == {"grant_type": ["urn:ibm"], "apikey": [lent.secret], "response_type": ["cloud_iam"]}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "grant_type=x",
        "apikey=" + value(9),
        "apikey=HANDLE&apikey=HANDLE",
        "apikey=HANDLE&note=HANDLE",
        "note=HANDLE",
        "refresh_token=HANDLE",
        "apikey=HANDLE&broken",
        "apikey=HANDLEx",
        "grant_type=passcode&passcode=" + value(3) + "&apikey=HANDLE",
        "cr_token=" + value(3) + "&apikey=HANDLE",
        "client_assertion=" + value(3) + "&apikey=HANDLE",
    ],
)
def test_any_other_form_is_refused(lent, body):
    with pytest.raises(RequestRefusedError) as caught:
        exchange(lent, body.replace("HANDLE", lent.handle))
    assert lent.secret not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        '{"apikey": "HANDLE", "credentials": {"name": "x"}}',
        '{"apikey": "HANDLE", "sign_in": [{"password": "of somebody"}]}',
        '{"apikey": "HANDLE", "apikey": "HANDLE"}',
        '{"apikey": ["HANDLE"]}',
        "[]",
        "{",
        "nul",
    ],
)
def test_unreadable_json_is_refused(lent, body):
    ruling = lent.judge.rule(lent.place, Request("POST", "/identity/token", ()))
    with pytest.raises(RequestRefusedError):
        read_request(ruling.exchange, "application/json", body.replace("HANDLE", lent.handle).encode())


def answered(lent, answer):
    kept = {}
    ruling = lent.judge.rule(lent.place, Request("POST", "/identity/token", ()))
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return json.loads(read_answer(ruling.exchange, Answered(body), NOW, kept.__setitem__).body), kept


def test_tokens_become_handles_and_what_nobody_declared_is_left_out(lent):
    answer = {"access_token": TOKEN, "refresh_token": "none", "expires_in": 3600, "ims_token": TOKEN, "scope": "x"}
    passed, kept = answered(lent, answer)
    assert is_handle(passed["access_token"])
    assert is_handle(passed["refresh_token"])
    assert (passed["expires_in"], passed["scope"], "ims_token" in passed) == (3600, "x", False)
    held = kept[passed["access_token"]]
    assert (held.value.reveal(), held.credential, held.until) == (TOKEN, "ibm-quantum-iam-token", NOW + 3600)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"expires_in": 1},
        {"access_token": ""},
        {"access_token": {"a": 1}},
        b"",
        b"<html>",
        b"[1]",
        b'"token"',
        b"\xff",
    ],
)
def test_an_answer_without_a_token_is_not_passed_on(lent, answer):
    with pytest.raises(RequestRefusedError):
        answered(lent, answer)


_FIELDS = st.recursive(st.text(max_size=60), lambda each: st.lists(each, max_size=2))


@given(st.dictionaries(st.text(max_size=12), _FIELDS))
def test_no_text_of_an_undeclared_field_is_passed_on(fields):
    passed, _ = answered(Lent(host="iam.cloud.ibm.com"), {**fields, "access_token": value(5)})
    assert value(5) not in json.dumps(passed)
    assert set(passed) <= {"access_token", "refresh_token", "token_type", "scope"}
