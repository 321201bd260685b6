"""No value comes back in an answer, however it is spelled and cut."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.broker.scrub import Scrubber
from jupyter_qguard.secret import SecretValue

VALUE = 'k3y/with+odd"chars=and-more-of-them-in-it'
SPELLINGS = [
    VALUE.encode(),
    json.dumps(VALUE)[1:-1].encode(),
    quote(VALUE, safe="").encode(),
    VALUE.encode().hex().encode(),
    VALUE.encode("utf-16-le"),
    VALUE.encode("utf-16-be"),
    base64.b64encode(VALUE.encode()),
    base64.b64encode(b"user:" + VALUE.encode() + b"\n"),
    base64.b64encode(b"x:" + VALUE.encode() + b"yz"),
    base64.urlsafe_b64encode(b"a" + VALUE.encode()),
]


def cut(text, at):
    ends = sorted({each for each in at if each < len(text)} | {len(text)})
    return [text[first:last] for first, last in zip([0, *ends], ends, strict=False)]


def scrubbed(parts):
    scrubber = Scrubber([SecretValue(VALUE)])
    return b"".join([scrubber.feed(part) for part in parts] + [scrubber.end()])


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(at=st.lists(st.integers(0, 200), max_size=12), before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_a_value_is_masked_under_any_cut_and_nothing_changes_its_length(spelling, at, before, after):
    text = before + b"<" + spelling + b">" + after
    out = scrubbed(cut(text, at))
    assert len(out) == len(text)
    assert out == scrubbed([text])
    assert spelling[8:-8] not in out


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_what_holds_no_value_comes_through_as_it_was(text, at):
    assert scrubbed(cut(text, at)) == text


def test_ordinary_text_is_not_held_back():
    assert Scrubber([SecretValue(VALUE)]).feed(b"an ordinary line\n") == b"an ordinary line\n"
