"""Handles and marks are exempt from scanning only where they match exactly."""

from __future__ import annotations

import string
from random import Random

import pytest

from jupyter_qguard.secret import check_characters, is_handle, is_mark


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
