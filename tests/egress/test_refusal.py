"""What a refusal says, and which part of a name a record may show."""

from __future__ import annotations

import random
import string

import pytest

from jupyter_qguard.egress.refusal import Status, http_refusal, shown_host


@pytest.mark.parametrize(
    "name",
    [
        "api.example.org",
        "us-east.quantum-computing.cloud.ibm.com",
        "s3.eu-central-1.amazonaws.com",
        "xn--bcher-kva.example",
        "8.8.4.4",
        "2600::1",
        "a.b.c.d.e.f",
    ],
)
def test_names_that_people_give_are_shown_whole(name):
    assert shown_host(name) == name


def test_labels_that_could_be_a_key_are_cut():
    draw = random.Random(7)
    for alphabet in (string.hexdigits[:16], string.ascii_lowercase + "234567", string.ascii_lowercase + string.digits):
        for length in (16, 24, 32, 44, 63):
            label = "".join(draw.choice(alphabet) for _ in range(length - 6)) + "k3j4m5"
            shown = shown_host(f"{label}.example.org")
            assert shown == f"{label[:4]}\N{HORIZONTAL ELLIPSIS}.example.org"


def test_of_many_labels_the_last_are_shown():
    assert shown_host("one.two.three.four.five.six.seven.eight") == "….three.four.five.six.seven.eight"


def test_a_reason_can_put_no_line_into_the_answer():
    answer = http_refusal(Status.FORBIDDEN, "one\r\nX-Two: three\u2028four")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 403 Forbidden: qguard: one??X-Two: three?four"
    assert b"\r\nX-Two" not in head
    assert body == b"qguard: one??X-Two: three?four\n"
    assert f"Content-Length: {len(body)}".encode() in head
