"""Finds secrets: notebook → fragments → views → spots → candidates → findings. Pure but for the rule cache.

The scanner itself is imported when it is first asked for: a server only passes on what its workers found, and its start
must not wait for engines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.scan.finding import (
    CellRef,
    Classification,
    Confidence,
    Finding,
    Place,
    ScanResult,
    Severity,
    Suppressed,
    SuppressionKind,
)
from jupyter_qguard.scan.settings import ScanSettings

if TYPE_CHECKING:
    from jupyter_qguard.scan.scanner import Scanner

__all__ = [
    "CellRef",
    "Classification",
    "Confidence",
    "Finding",
    "Place",
    "ScanResult",
    "ScanSettings",
    "Scanner",
    "Severity",
    "Suppressed",
    "SuppressionKind",
]


def __getattr__(name: str) -> object:
    """The scanner."""
    if name != "Scanner":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from jupyter_qguard.scan.scanner import Scanner  # noqa: PLC0415 - see above

    return Scanner
