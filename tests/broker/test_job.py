"""The job that an answer to a submit names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.broker.job import job_named


@pytest.mark.parametrize(
    ("where", "answer", "job"),
    [
        ("/id", {"id": "a-1"}, "a-1"),
        ("/data/id", {"data": {"id": 7}}, "7"),
        ("/0/task_id", [{"task_id": "t"}], "t"),
        ("#", 42, "42"),
        ("#", "j", "j"),
        ("/id", {"id": True}, ""),
        ("/id", {"id": {"a": 1}}, ""),
        ("/1", ["a"], ""),
        ("/x", [1], ""),
        ("/id", "text", ""),
    ],
)
def test_a_pointer_names_a_text_or_a_number(where, answer, job):
    assert job_named(where, (), json.dumps(answer).encode()) == job


def test_a_header_names_it_by_the_end_of_its_address():
    headers = [("location", "https://api.example.org/v5/jobs/j-7/?x=1")]
    assert job_named("Location", headers, b"") == "j-7"
    assert job_named("Location", (), b"") == ""


@given(st.binary(max_size=60), st.sampled_from(["/id", "/0/id", "#", "Location"]))
def test_whatever_comes_it_is_a_short_text(body, where):
    assert len(job_named(where, [("location", body.hex())], body)) <= 200
