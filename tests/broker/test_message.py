"""Which headers go on, in both directions."""

from __future__ import annotations

import pytest

from jupyter_qguard.broker.message import backward_headers, exchange_headers, onward_headers
from jupyter_qguard.broker.scrub import Scrubber


@pytest.mark.parametrize("name", [b"Range", b"If-Range", b"Accept-Encoding", b"Accept-Charset"])
def test_an_answer_is_asked_for_whole_and_as_it_is(name):
    """Of parts and other codings the key could be put together in the kernel."""
    assert onward_headers([(name, b"x"), (b"accept", b"*/*")]) == (("accept", "*/*"), ("accept-encoding", "identity"))


def test_what_the_connection_lists_as_its_own_stays_but_for_the_credential():
    headers = [(b"connection", b"x-a, authorization"), (b"x-a", b"1"), (b"authorization", b"Bearer h")]
    assert dict(onward_headers(headers)) == {"authorization": "Bearer h", "accept-encoding": "identity"}


def test_no_header_of_an_exchange_holds_a_token():
    answer = [
        (b"content-type", b"application/json"),
        (b"x-auth-token", b"t"),
        (b"location", b"/?code=t"),
        (b"x-request-id", b"1"),
    ]
    passed = exchange_headers(backward_headers(answer, Scrubber(())))
    assert dict(passed) == {"content-type": "application/json", "x-request-id": "1"}
