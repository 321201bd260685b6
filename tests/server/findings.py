"""Findings made by hand, for tests of what becomes of them."""

from __future__ import annotations

from jupyter_qguard.scan import CellRef, Classification, Confidence, Finding, Place, Severity


def finding(
    pointer: str = "/cells/0/source", span: tuple[int, int] = (0, 1), fingerprint: str = "0", *, in_key: bool = False
) -> Finding:
    """A finding in cell 0."""
    return Finding(
        rule_id="rule",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        classification=Classification.RESTRICTED,
        vendor=None,
        fingerprint=fingerprint,
        pointer=pointer,
        spans=(span,),
        in_key=in_key,
        cell=CellRef(0, "a", "code"),
        place=Place.SOURCE,
        preview="a…",
        line=1,
        message="Something.",
    )
