"""A short run of the fuzzer, and proof that it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan import ScanResult
from tests.fuzz import giants
from tests.fuzz.properties import Guard, planted_is_found, planted_text
from tests.fuzz.run import load_guard, run

SECONDS = 15.0


@pytest.fixture(scope="module")
def guard() -> Guard:
    return load_guard()


class Blind:
    """A scanner that finds nothing."""

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:  # noqa: ARG002 - finds nothing in anything
        return ScanResult(())

    def scan_bytes(self, data: bytes, name: str) -> ScanResult:  # noqa: ARG002 - finds nothing in anything
        return ScanResult(())

    def scan_text(self, text: str) -> ScanResult:  # noqa: ARG002 - finds nothing in anything
        return ScanResult(())


class Crashing(Blind):
    """A scanner that does not stand odd input."""

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:
        if len(document) > 3:
            raise KeyError
        return ScanResult(())


class Stuck(Blind):
    """A scanner that never ends."""

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:  # noqa: ARG002 - finds nothing in anything
        while True:
            pass


class Refusing(Blind):
    """A scanner that refuses everything, which lets nothing pass but finds nothing either."""

    def scan_bytes(self, data: bytes, name: str) -> ScanResult:  # noqa: ARG002 - finds nothing in anything
        message = "no notebook"
        raise InputError(message)


def test_a_short_run_violates_nothing(guard: Guard) -> None:
    outcome = run(guard, 0, 10**6, SECONDS)
    assert outcome.violations == []
    assert outcome.inputs > 100
    assert min(outcome.counts.values()) > 10


def test_the_fuzzer_sees_a_passed_secret() -> None:
    for check in (planted_is_found, planted_text):
        outcome = run(Blind(), 0, 20, checks=(check,))
        assert any("passed secret" in violation for violation in outcome.violations)


def test_the_fuzzer_sees_an_exception() -> None:
    outcome = run(Crashing(), 0, 20, checks=(planted_is_found,))
    assert any("KeyError" in violation for violation in outcome.violations)


def test_the_fuzzer_sees_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.run.LIMIT", 0.2)
    outcome = run(Stuck(), 0, 1, checks=(planted_is_found,))
    assert ["took more than 0.2 s" in violation for violation in outcome.violations] == [True]


SMALL: dict[str, giants.Giant] = {
    "large": partial(giants.large, size=6 * giants.MEGABYTE),
    "many cells": partial(giants.many_cells, count=4000),
    "one line": partial(giants.one_line, size=giants.MEGABYTE),
    "quotes": partial(giants.quotes, size=giants.MEGABYTE // 20),
    "base64": partial(giants.encoded, size=giants.MEGABYTE // 2),
    **{name: check for name, check in giants.GIANTS.items() if "levels" in name or name in giants.QUICK},
}


@pytest.mark.parametrize("name", SMALL)
def test_extreme_input(guard: Guard, name: str) -> None:
    assert SMALL[name](guard) == ""


@pytest.mark.parametrize("name", giants.QUICK)
def test_extreme_input_can_fail(name: str) -> None:
    assert giants.GIANTS[name](Refusing() if name == "odd JSON" else Blind()) != ""
