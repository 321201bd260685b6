"""One spelling of a request's target: what is judged is what goes out."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.broker.refusal import RequestRefusedError
from jupyter_qguard.broker.target import parse_target


@pytest.mark.parametrize(
    ("text", "path", "query"),
    [
        ("/", "/", ""),
        ("/api/v1/jobs?limit=10&a=%20b", "/api/v1/jobs", "limit=10&a=%20b"),
        ("/sapi/v2/problems/", "/sapi/v2/problems/", ""),
        ("/jobs/%61bc", "/jobs/abc", ""),
        ("/jobs/a%c3%a9", "/jobs/a%C3%A9", ""),
        ("/crn:v1:bluemix:public", "/crn:v1:bluemix:public", ""),
    ],
)
def test_a_plain_target_is_understood(text, path, query):
    target = parse_target(text)
    assert (target.path, target.query) == (path, query)


_TWO_READINGS = [
    "",
    "api/v1/jobs",
    "https://other.example/api",
    "*",
    "/a/../b",
    "/a/./b",
    "/a//b",
    "//other.example/b",
    "/a/%2e%2e/b",
    "/a/..%2fb",
    "/a%2Fb",
    "/a%5cb",
    "/a\\b",
    "/a;b/c",
    "/a%3bb",
    "/a%252e%252e",
    "/a%00b",
    "/a b",
    "/a%zz",
    "/a?b=%g1",
    "/a#b",
    "/a%23b",
    "/a%3Fb",
    "/a\r\nHost: b",
    "/ä",
    "/" + "a" * 8000,
]


@pytest.mark.parametrize("text", _TWO_READINGS)
def test_what_could_be_read_in_two_ways_is_refused(text):
    with pytest.raises(RequestRefusedError):
        parse_target(text)


@given(st.text(st.sampled_from("/.%2eEfF5cC?&=;a~_-:+#\\ "), max_size=24))
def test_the_canonical_form_is_its_own_and_hides_no_step(text):
    try:
        target = parse_target("/" + text)
    except RequestRefusedError:
        return
    assert parse_target(str(target)) == target
    assert not {".", ".."} & set(unquote(target.path).split("/"))
    assert unquote(target.path).count("/") == target.path.count("/")
