"""Redaction touches what was found and nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.grid import Case
from benchmarks.roundtrip import problems, put_back, secrets_by_string
from jupyter_qguard.redact import redact_notebook
from jupyter_qguard.scan import Scanner, ScanSettings
from tests.property.strategies import cases, notebooks

slow = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.load(ScanSettings(fingerprint_key=bytes(32)))


@slow
@given(document=notebooks)
def test_a_notebook_without_findings_comes_out_equal(scanner: Scanner, document: dict[str, Any]) -> None:
    before = json.dumps(document)
    findings = scanner.scan_notebook(document).findings
    redacted = redact_notebook(document, findings)
    restored = put_back(redacted, document, "", secrets_by_string(document, findings))
    assert json.dumps(document) == before
    assert json.dumps(restored) == before


@slow
@given(case=cases)
def test_putting_the_secrets_back_gives_the_original(scanner: Scanner, case: Case) -> None:
    assert problems(case, scanner) == []


def test_a_lost_line_is_noticed() -> None:
    document = {
        "cells": [{"cell_type": "code", "source": ["x = 1\n", "y = 2"], "outputs": [], "metadata": {}}],
        "metadata": {},
    }
    spoilt = copy.deepcopy(document)
    spoilt["cells"][0]["source"] = ["x = 1\n"]  # type: ignore[index] # a list of cells
    assert put_back(spoilt, document, "", {}) != document
