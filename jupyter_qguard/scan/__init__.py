"""Finds secrets: notebook → fragments → views → spots → candidates → findings. Pure but for the rule cache."""

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
from jupyter_qguard.scan.scanner import Scanner
from jupyter_qguard.scan.settings import ScanSettings

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
