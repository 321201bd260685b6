"""Which requests go out, and with what: no value is put where the decision did not allow it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.broker.judge import Place, Request
from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.policy.model import Operation, Quota, QuotaPeriod
from jupyter_qguard.secret import HandleShape, make_handle
from tests.broker.lent import KERNEL, NOW, Lent, entry, value

CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/1:2::"
KEY = value(9)
REQUESTS = (
    "GET /api/v1/backends",
    "GET /api/v1/jobs/1",
    "POST /api/v1/jobs",
    "GET /api/v1/jobs/1/results",
    "DELETE /api/v1/jobs/1",
    "POST /api/v1/jobs/1/cancel",
)


def ask(lent, method="GET", target="/api/v1/backends", headers=None):
    chosen = headers if headers is not None else (("authorization", f"Bearer {lent.exchanged()}"),)
    return lent.judge.rule(lent.place, Request(method, target, tuple(chosen)))


def refused(lent, *arguments, **named):
    with pytest.raises(RequestRefusedError) as caught:
        ask(lent, *arguments, **named)
    assert lent.secret not in str(caught.value)
    assert lent.token not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("text", ["Bearer None", "Bearer null"])
def test_who_has_nothing_to_show_yet_is_asked_to_sign_in(text):
    assert refused(Lent(), headers=[("authorization", text)]).status == 401


def test_the_handle_is_swapped_in_its_header_and_nowhere_else():
    lent = Lent()
    ruling = ask(lent, headers=(("accept", "*/*"), ("authorization", f"Bearer {lent.exchanged()}"), ("x-other", "1")))
    assert ruling.headers == (("accept", "*/*"), ("authorization", f"Bearer {lent.token}"), ("x-other", "1"))
    assert ruling.lease is lent.lease
    assert lent.token not in repr(ruling)


@pytest.mark.parametrize("scheme", ["apikey", "Bearer"])
def test_a_long_lived_key_is_not_put_where_its_token_belongs(scheme):
    lent = Lent()
    assert refused(lent, headers=(("authorization", f"{scheme} {lent.handle}"),)).cause is Cause.CREDENTIAL


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", f"Bearer {KEY}"),),
        (("authorization", "Bearer HANDLE"), ("authorization", "Bearer HANDLE")),
        (("authorization", "Bearer HANDLE"), ("x-api-key", KEY)),
        (("authorization", "Bearer HANDLE"), ("x-copy", "HANDLE")),
        (("authorization", "HANDLE"),),
        (("authorization", "Bearer HANDLE HANDLE"),),
        (("authorization", "Bearer xHANDLE"),),
        (("authorization", "Basic HANDLE"),),
        (("x-auth-token", "HANDLE"),),
        (("proxy-authorization", "Bearer HANDLE"),),
        (("authorization", "Bearer HANDLE"), ("x-secret-thing", "anything")),
    ],
)
def test_any_other_credential_and_any_other_place_is_refused(headers):
    lent = Lent()
    handle = lent.exchanged()
    made = tuple((name, text.replace("HANDLE", handle)) for name, text in headers)
    assert refused(lent, headers=made).cause is Cause.CREDENTIAL


@pytest.mark.parametrize(
    "target", ["/api/v1/jobs/HANDLE", "/api/v1/jobs?q=HANDLE", "/api/v1/jobs?HANDLE=1", "/api/v1/jobs?access_token=abc"]
)
def test_a_handle_or_a_key_in_the_address_is_refused(target):
    lent = Lent()
    assert refused(lent, target=target.replace("HANDLE", lent.exchanged())).cause is Cause.CREDENTIAL


def test_a_handle_of_another_kernel_is_refused():
    assert "another kernel" in refused(Lent(kernel="kernel-2")).reason


def test_a_handle_at_a_host_that_its_entry_does_not_bring_is_refused():
    lent = Lent()
    other = entry(name="ionq/dev", vendor="ionq")
    place = Place(kernel=KERNEL, host="api.ionq.co", entries=(other,), vendor=load_catalog().vendors["ionq"])
    with pytest.raises(RequestRefusedError, match="not for this host"):
        lent.judge.rule(place, Request("GET", "/v0.4/backends", (("authorization", f"apiKey {lent.handle}"),)))


def test_after_its_end_and_after_release_a_handle_means_nothing():
    lent = Lent()
    ask(lent)
    lent.now = NOW + 3601
    assert refused(lent).status == 401
    lent.now = NOW
    headers = (("authorization", f"Bearer {lent.exchanged()}"),)
    lent.book.remove(lent.lease)
    assert "not known" in refused(lent, headers=headers).reason


def test_an_unknown_handle_is_refused():
    made = make_handle(HandleShape.TEXT)
    assert "not known" in refused(Lent(), headers=(("authorization", f"Bearer {made}"),)).reason


@pytest.mark.parametrize(
    ("operations", "passes"),
    [
        ({Operation.INSPECT}, REQUESTS[:2]),
        ({Operation.INSPECT, Operation.SUBMIT}, REQUESTS[:3]),
        ({Operation.READ_RESULTS}, REQUESTS[3:4]),
        ({Operation.MANAGE}, REQUESTS[4:]),
    ],
)
def test_an_entry_permits_its_operations_and_no_other(operations, passes):
    lent = Lent(entry(operations=operations))
    for text in REQUESTS:
        method, target = text.split(" ")
        if text in passes:
            ask(lent, method, target)
        else:
            assert refused(lent, method, target).cause is Cause.POLICY


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v2/unknown"),
        ("PUT", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs/1/2/3"),
        ("TRACE", "/"),
        ("OPTIONS", "/"),
    ],
)
def test_what_the_catalogue_does_not_know_is_refused(method, target):
    assert refused(Lent(), method, target).cause is Cause.POLICY


def test_a_quota_is_counted_and_says_when_to_come_again():
    lent = Lent(entry(quota={Operation.SUBMIT: Quota(2, QuotaPeriod.HOUR)}), until=NOW + 10_000)
    ask(lent, "POST", "/api/v1/jobs")
    lent.now += 600
    ask(lent, "POST", "/api/v1/jobs")
    refusal = refused(lent, "POST", "/api/v1/jobs")
    assert (refusal.cause, refusal.status, refusal.retry_after) == (Cause.QUOTA, 429, 3000)
    ask(lent)
    lent.now += 3001
    ask(lent, "POST", "/api/v1/jobs")


def test_what_was_not_sent_is_not_counted():
    lent = Lent(entry(quota={Operation.SUBMIT: Quota(1, QuotaPeriod.DAY)}))
    lent.judge.take_back(ask(lent, "POST", "/api/v1/jobs"))
    ask(lent, "POST", "/api/v1/jobs")


def test_another_instance_than_the_entrys_is_refused():
    lent = Lent(entry(settings={"instance": CRN}))
    handle = lent.exchanged()
    ask(lent, headers=(("authorization", f"Bearer {handle}"), ("service-crn", CRN)))
    other = CRN.replace("us-east", "eu-de")
    refusal = refused(lent, headers=(("authorization", f"Bearer {handle}"), ("service-crn", other)))
    assert refusal.cause is Cause.POLICY


def test_cookies_of_a_session_go_no_further():
    lent = Lent()
    ruling = ask(lent, headers=(("authorization", f"Bearer {lent.exchanged()}"), ("cookie", "session=abc; lb=1")))
    assert [name for name, _ in ruling.headers] == ["authorization"]


_NAMES = ("authorization", "cookie", "x-api-key", "x-auth-token", "accept", "x-other", "service-crn")
_TEXTS = ("Bearer HANDLE", "Bearer KEY", "HANDLE", "apikey KEY", "HANDLE; HANDLE", "abc", "Bearer  HANDLE")
_TARGETS = ("/api/v1/backends", "/api/v1/jobs", "/api/v1/jobs/1", "/identity/token", "/x", "/api/v1/jobs?t=HANDLE")


@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    target=st.sampled_from(_TARGETS),
    headers=st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_TEXTS)), max_size=4),
    operations=st.sets(st.sampled_from(Operation)),
)
def test_no_request_is_swapped_that_the_decision_did_not_allow(method, target, headers, operations):
    lent = Lent(entry(operations=operations))
    handle = lent.exchanged()

    def filled(text):
        return text.replace("HANDLE", handle).replace("KEY", lent.handle)

    request = Request(method, filled(target), tuple((name, filled(text)) for name, text in headers))
    try:
        ruling = lent.judge.rule(lent.place, request)
    except RequestRefusedError:
        return
    carrying = [(name, text) for name, text in ruling.headers if lent.token in text or lent.secret in text]
    assert all(name == "authorization" and text.split() == ["Bearer", lent.token] for name, text in carrying)
    assert lent.secret not in str(ruling.headers)
    assert len(carrying) <= 1
    if carrying:
        assert ruling.matched.does.value in {operation.value for operation in operations} | {"auth"}
    assert handle not in str(ruling.headers)
    assert handle not in str(ruling.target)
