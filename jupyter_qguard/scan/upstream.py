"""The maintained rule catalogue: kingfisher's engine, offline. It never validates a value it finds.

Loading the engine takes a third of a second, and in most texts it finds nothing. So its own expressions are compiled
twice more: loosely, for a look at raw JSON, and as they are, for text. Where neither says no the engine is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.scan.finding import Confidence
from jupyter_qguard.scan.matcher import Expression, Matcher, in_raw_json

if TYPE_CHECKING:
    from collections.abc import Callable

    import kingfisher_sdk

_LEFT_TO_US = "hashicorp-tf-password"
"""Any value behind ``password``: our own rule looks at the same and asks for more; loading the engine for each such
word would cost more than all it finds elsewhere."""
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


class Upstream:
    """The compiled catalogue."""

    def __init__(self, folder: Path | None, announce: Callable[[str], None] | None = None) -> None:
        """Load the loose look from *folder*, or compile everything (some seconds) and say so first.

        Without a folder that can be trusted the rules are compiled every time.
        """
        self.version = _version()
        self._folder = folder
        self._announce = announce
        self._rules: kingfisher_sdk.Rules | None = None
        self._scanner: kingfisher_sdk.Scanner | None = None
        self._look = Matcher.load(f"maintained 7 {self.version}", lambda: self._expressions(loose=True), folder)
        self._text = Matcher.load(f"maintained text 7 {self.version}", lambda: self._expressions(loose=False), folder)

    def places(self, data: bytes) -> list[int]:
        """Where what :meth:`find` could find in the JSON *data* with its escapes resolved may end."""
        return [end for _, _, end in self._look.find(data)]

    def find(self, data: bytes) -> list[UpstreamHit]:
        """All visible matches in *data*, which holds one byte per code point."""
        if not self._text.find(data):
            return []
        hits = []
        for finding in self._engine().scan(data):
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
                )
            )
        return hits

    def _engine(self) -> kingfisher_sdk.Scanner:
        if self._scanner is None:
            import kingfisher_sdk  # noqa: PLC0415 - see above

            self._scanner = kingfisher_sdk.Scanner(self._load())
        return self._scanner

    def _load(self) -> kingfisher_sdk.Rules:
        if self._rules is None:
            import kingfisher_sdk  # noqa: PLC0415 - see above

            home = self._folder / f"maintained-{self.version}" if self._folder else None
            if self._announce is not None and (home is None or not home.is_dir()):
                self._announce("Compiling the rule catalogue. This happens once and takes some seconds.")
            self._rules = (
                kingfisher_sdk.Rules(cache=False) if home is None else kingfisher_sdk.Rules(cache_dir=str(home))
            )
        return self._rules

    def _expressions(self, *, loose: bool) -> list[Expression]:
        """What the engine itself looks for, but for what it does not report: the other half of a pair, say."""
        rules = self._load()
        named = (rule["id"] for rule in rules.metadata() if rule["visible"] and not rule["id"].endswith(_LEFT_TO_US))
        texts = (str(rules.detail(rule)["detection_regex"]).replace("(?P<", "(?<") for rule in named)
        return [Expression(in_raw_json(text), loose=True) if loose else Expression(text) for text in texts]


def _version() -> str:
    """The engine's version, as the folder beside it says: what reads that properly takes longer to import than a scan."""
    spec = find_spec("kingfisher_sdk")
    for place in (spec and spec.submodule_search_locations) or ():
        found = [folder.name for folder in Path(place).parent.glob("kingfisher_secret_scanner-*.dist-info")]
        if len(found) == 1:
            return found[0].split("-")[1].removesuffix(".dist")
    from importlib import metadata  # noqa: PLC0415 - as above

    return metadata.version("kingfisher-secret-scanner")
