"""Redaction must not make a notebook invalid that was valid before."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_qguard.redact import redact_notebook
from jupyter_qguard.server.validity import stays_valid
from tests.server.findings import finding
from tests.server.planted import code, notebook, old_notebook, stream

VALID = notebook(code("abc", stream("abc")))
INVALID = notebook({**code("abc"), "outputs": [{"output_type": "socket"}]})


@pytest.mark.parametrize("pointer", ["/cells/0/source", "/cells/0/outputs/0/text"])
def test_a_text_can_be_redacted(pointer: str) -> None:
    findings = [finding(pointer)]
    assert stays_valid(VALID, redact_notebook(VALID, findings), findings)


@pytest.mark.parametrize("pointer", ["/cells/0/id", "/cells/0/cell_type", "/cells/0/outputs/0/output_type"])
def test_what_may_be_nothing_else_cannot(pointer: str) -> None:
    findings = [finding(pointer)]
    assert not stays_valid(VALID, redact_notebook(VALID, findings), findings)


@pytest.mark.parametrize("broken", [INVALID, old_notebook("abc"), {**VALID, "nbformat": "four"}])
def test_what_was_invalid_before_may_stay_so(broken: dict[str, Any]) -> None:
    assert stays_valid(broken, broken, [finding()])
