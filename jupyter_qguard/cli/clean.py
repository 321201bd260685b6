"""Redacts until a scan of the result finds nothing: a mark can bring to light what its secret hid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.redact import redact_text
from jupyter_qguard.scan import Finding, Scanner

_MOST_PASSES = 64
"""More than a key file has lines: in a mutilated one each line is found only when the one above it is gone."""
_Whole = TypeVar("_Whole")


def until_clean(
    value: _Whole, scan: Callable[[_Whole], Sequence[Finding]], redact: Callable[[_Whole, Sequence[Finding]], _Whole]
) -> tuple[_Whole, int]:
    """*value* without what is found in it, and how many findings went.

    Raises
    ------
    GuardFailureError
        Something is found however often it is redacted: nothing may be written then.
    """
    total = 0
    for _ in range(_MOST_PASSES):
        findings = scan(value)
        if not findings:
            return value, total
        total += len(findings)
        value = redact(value, findings)
    message = f"a finding is left after {_MOST_PASSES} passes; nothing of it was written"
    raise GuardFailureError(message)


def clean_text(scanner: Scanner, text: str) -> tuple[str, int]:
    """The same for a text."""
    return until_clean(text, lambda value: scanner.scan_text(value).findings, redact_text)
