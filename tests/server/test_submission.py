"""What is read out of a contents model, and what is handed on: the guard and the disk must see the same."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.errors import InputError
from jupyter_qguard.server.submission import Form, Submission, read_submission
from tests.server.planted import code, notebook


def read(**model: Any) -> Submission:
    submission = read_submission({"type": "file", "format": "text", "content": "a", **model}, "/folder/f.txt")
    assert submission is not None
    return submission


def test_a_notebook_is_handed_on_as_it_came() -> None:
    document = notebook(code("1"))
    submission = read(type="notebook", format="json", content=document)
    assert (submission.form, submission.path, submission.name) == (Form.NOTEBOOK, "folder/f.txt", "f.txt")
    assert submission.content() is document
    assert submission.is_notebook


def test_content_that_is_an_object_is_a_notebook_whatever_its_type_is_not() -> None:
    assert read(type=None, format=None, content=notebook()).form is Form.NOTEBOOK


@pytest.mark.parametrize("model", [{"type": "directory"}, {"type": "directory", "content": [1]}, {"type": "file"}])
def test_what_writes_no_text_is_no_submission(model: dict[str, Any]) -> None:
    assert read_submission(model, "f") is None


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"type": "notebook", "content": "{}"}, "must be an object, not a string"),
        ({"type": "notebook", "content": None}, "not null"),
        ({"type": "notebook", "content": {"cells": 1}}, "cells is no list"),
        ({"content": {"cells": []}}, "must be a string, not something else"),
        ({"content": True}, "not a boolean"),
        ({"content": 1.5}, "not a number"),
        ({"content": []}, "not a list"),
        ({"content": "\udc00"}, "half of a surrogate pair"),
        ({"format": "base64", "content": "é"}, "not base64"),
        ({"format": "base64", "content": "abc"}, "not base64"),
    ],
)
def test_content_of_another_type_is_refused(model: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read(**model)


def test_a_request_that_is_no_object_is_refused() -> None:
    with pytest.raises(InputError, match="no object"):
        read_submission([], "f")


@given(st.binary(max_size=200), st.sampled_from(["", "\n", " ", "!", "==", "\0"]))
def test_base64_is_handed_on_as_it_was_read(data: bytes, between: str) -> None:
    """Whatever decoder a contents manager has, it finds the bytes that were judged."""
    text = between.join(base64.b64encode(data).decode())
    try:
        submission = read(format="base64", content=text)
    except InputError:
        return
    assert base64.b64decode(submission.content(), validate=False) == submission.data


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_handed_on_as_it_came(text: str) -> None:
    assert read(content=text).content() == text


def test_what_came_as_text_and_what_becomes_a_notebook_is_never_binary() -> None:
    data = b"\0\1\2\3" * 9
    assert Submission("f", Form.BASE64, data=data).is_binary
    assert not Submission("f", Form.TEXT, data=data).is_binary
    assert not Submission("f.IPYNB", Form.BASE64, data=data).is_binary
    assert not Submission("f", Form.BASE64, data=b"a\0b").is_binary


@pytest.mark.parametrize(("data", "blank"), [(b"", True), (b" \n\t", True), (b"a", False), (b"{}", False)])
def test_blank_content_is_none(data: bytes, *, blank: bool) -> None:
    assert Submission("f.ipynb", Form.TEXT, data=data).is_blank is blank
