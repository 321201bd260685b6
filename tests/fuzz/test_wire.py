"""The short run of the fuzzer of the wire."""

from __future__ import annotations

import random

from tests.fuzz import wire


def test_hostile_bytes_are_read_refused_or_waited_for():
    problems = {number: wire.violation(wire.hostile(random.Random(number))) for number in range(10_000)}
    assert {number: problem for number, problem in problems.items() if problem} == {}


def test_the_fuzzer_notices_a_parser_that_crashes(monkeypatch):
    monkeypatch.setattr(wire, "parse_hello", lambda data: data[0] // 0)
    assert wire.violation(b"x") == "greeting: ZeroDivisionError"
