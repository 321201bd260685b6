"""The maintained rule catalogue: kingfisher's engine, offline. It never validates a value it finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kingfisher_sdk

from jupyter_qguard.scan.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Callable

_GENERIC = ("generic", "password", "basic-auth", "credential-uri", "high-entropy", "curl-auth")
_CONFIDENCE = {"high": Confidence.HIGH, "medium": Confidence.MEDIUM, "low": Confidence.LOW}


@dataclass(frozen=True, slots=True)
class UpstreamHit:
    """A match of a maintained rule, in code points."""

    rule_id: str
    name: str
    start: int
    end: int
    confidence: Confidence
    generic: bool
    encoded: bool
    """Whether the span is a base64 run that holds the secret."""


class Upstream:
    """The compiled catalogue."""

    def __init__(self, folder: Path | None, announce: Callable[[str], None] | None = None) -> None:
        """Load the compiled rules from *folder*, or compile them (some seconds) and say so first.

        Without a folder that can be trusted they are compiled every time.
        """
        home = folder / f"maintained-{kingfisher_sdk.__version__}" if folder else None
        if announce is not None and (home is None or not home.is_dir()):
            announce("Compiling the rule catalogue. This happens once and takes a few seconds.")
        rules = kingfisher_sdk.Rules(cache=False) if home is None else kingfisher_sdk.Rules(cache_dir=str(home))
        self._scanner = kingfisher_sdk.Scanner(rules)
        self.rule_count = len(rules)

    def find(self, data: bytes) -> list[UpstreamHit]:
        """All visible matches in *data*, which holds one byte per code point."""
        hits = []
        for finding in self._scanner.scan(data):
            if not finding.visible:
                continue
            place = finding.location
            rule_id = finding.rule_id.removeprefix("betterleaks.").removeprefix("kingfisher.")
            hits.append(
                UpstreamHit(
                    rule_id,
                    finding.rule_name,
                    place["start_offset"],
                    place["end_offset"],
                    _CONFIDENCE.get(finding.confidence, Confidence.LOW),
                    any(word in rule_id for word in _GENERIC),
                    finding.is_base64_encoded,
                )
            )
        return hits
