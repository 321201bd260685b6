"""What a scanner is told from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_qguard.scan.finding import Classification


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """Settings of a scanner. Can be pickled; holds no secret but the key of the fingerprints."""

    fingerprint_key: bytes = field(repr=False)
    classify: Mapping[str, Classification] = field(default_factory=dict)
    """The policy's ``classify``: what is no credential and yet acted on."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """A team's own regular expressions, by the name they have in ``classify``."""
    cache_dir: Path | None = None
    """Where the compiled rules are kept; None for the user's cache folder."""
