"""Handles and marks are exempt from scanning only where they match exactly."""

from __future__ import annotations

import base64
import json
import string
from random import Random

import pytest

from jupyter_qguard.secret import HANDLE_IN_TEXT, HandleShape, check_characters, is_handle, is_mark, make_handle


def handle(seed: int) -> str:
    body = "".join(Random(seed).choices(string.ascii_letters + string.digits, k=24))
    return f"qgh{body}{check_characters(body)}"


@pytest.mark.parametrize("seed", range(20))
def test_a_handle_with_right_check_characters_is_one(seed):
    assert is_handle(handle(seed))


@pytest.mark.parametrize("position", range(3, 33))
def test_one_changed_character_makes_it_none(position):
    right = handle(1)
    other = "A" if right[position] != "A" else "B"
    assert not is_handle(right[:position] + other + right[position + 1 :])


def test_a_secret_with_the_prefix_glued_on_is_no_handle():
    assert not is_handle("qgh" + "".join(Random(5).choices(string.ascii_letters, k=40)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[redacted]", True),
        ("[redacted:ionq-api-key]", True),
        ("[redacted:ionq-api-key] ", False),
        ("x[redacted]", False),
        ("[redacted:]", False),
    ],
)
def test_only_an_exact_mark_is_one(text, expected):
    assert is_mark(text) is expected


@pytest.mark.parametrize("shape", HandleShape)
def test_a_handle_that_is_made_is_one_and_changed_is_none(shape):
    made = make_handle(shape, issued=1_800_000_000, until=1_800_003_600)
    assert is_handle(made)
    assert HANDLE_IN_TEXT.search(f"Bearer {made}")
    for position in range(len(made)):
        other = "A" if made[position] != "A" else "B"
        assert not is_handle(made[:position] + other + made[position + 1 :])


@pytest.mark.parametrize("length", [31, 32, 40, 44, 128])
def test_a_text_handle_has_the_length_that_was_asked_for(length):
    assert len(make_handle(HandleShape.TEXT, length=length)) == length


def test_a_short_vendor_key_still_gets_a_handle_that_cannot_be_guessed():
    assert len(make_handle(HandleShape.TEXT, length=8)) == 31


def test_the_times_of_a_jwt_handle_can_be_read():
    body = make_handle(HandleShape.JWT, issued=1_800_000_000, until=1_800_003_600).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert (claims["iss"], claims["iat"], claims["exp"]) == ("qguard", 1_800_000_000, 1_800_003_600)
