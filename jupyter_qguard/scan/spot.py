"""Finds, in one pass over a text, every place worth a closer look: names, calls, shapes, words, random-looking runs.

The pass is Hyperscan's; the text is given to it with one byte a code point, so its offsets are ours.
"""

from __future__ import annotations

import enum
import hashlib
import platform
import re
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

import hyperscan

from jupyter_qguard.scan import cache
from jupyter_qguard.scan.classify import SPOTTED
from jupyter_qguard.scan.names import Role, role

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_qguard.scan.ruleset import OwnRule, RuleSet


class Spot(enum.IntEnum):
    """What a pattern marks."""

    RUN = 0
    NAME = 1
    CALL = 2
    SHAPE = 3
    WORD = 4
    URL = 5
    LABEL = 6
    MARK = 7


RUN = r"[A-Za-z0-9_+/\-]{16,}={0,2}[^A-Za-z0-9_+/=\-]"
_NAMES = (
    r"token|api[_\- ]?key|apikey|secret|passw|pwd|passphrase|passcode|credential|authorization|bearer|private[_\- ]?key|"
    r"(?:access|auth|account|shared|signing|master|service|subscription|storage|client|sdk|hub|license|encryption|"
    r"admin|app|deploy|project|user|ibm|ibmq|ionq|iqm|dwave|leap|openai|hf)[_\- ]?(?:key|pat|jwt|pass)|jwt|"
    r"connection[_\- ]?string|authenticat|x-ms-|[?&;]sig"
)
_MARKS = (
    r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|gh[pousr]_|github_pat|glpat|xox[abeoprs]|xapp-|[sr]k_(?:live|test)|sk-|hf_|ya29|eyJ|"
    r"ey0|AIza|npm_|pypi-|dop_v1|SG\.|shp[a-z]{2}_|qbr_|rings-|_T_|nvapi|302e0201|[A-Z]{2,4}-[0-9a-f]|IQoJ|FwoG|"
    r"SubscriptionId=|AccountKey=|hooks\.slack|T3BlbkFJ|dapi|tskey)|-----BEGIN|[0-9]Q~|[?&]sig=|X-Amz-S"
)
_SHORTEST_NAME = 4
_BASIC_AUTH = r"://[^\s/:@'\x22<>]{0,64}:[^\s/@'\x22<>]{3,256}@[A-Za-z0-9\[]"


@dataclass(slots=True)
class Spots:
    """What one pass marked; positions ascend within each list."""

    runs: list[tuple[int, int]] = field(default_factory=list)
    names: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    shapes: list[tuple[OwnRule, int]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    urls: list[int] = field(default_factory=list)
    labels: list[tuple[int, str]] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    """Beginnings that only credentials have, so that a secret in parts is not overlooked."""


Pattern = tuple[Spot, str, int, object]
"""What it marks, expression, flags, and what a hit is told with."""


def patterns(rules: RuleSet) -> list[Pattern]:
    """Everything that is looked for in the one pass."""
    caseless = hyperscan.HS_FLAG_CASELESS
    found: list[Pattern] = [
        (Spot.RUN, RUN, hyperscan.HS_FLAG_SOM_LEFTMOST, None),
        (Spot.NAME, _NAMES, caseless, None),
        (Spot.URL, _BASIC_AUTH, hyperscan.HS_FLAG_SOM_LEFTMOST, None),
        (Spot.MARK, _MARKS, 0, None),
        (Spot.CALL, r"\bauth\s*=\s*\(", 0, None),
    ]
    found += [
        (Spot.NAME, rf"\b{_literal(name)}\b", caseless, None)
        for name in sorted({*rules.variables, *rules.arguments, *rules.headers})
        if len(name) > _SHORTEST_NAME and not re.search(_NAMES, name, re.IGNORECASE) and not _is_common(name)
    ]
    found += [(Spot.CALL, rf"\b{_literal(name)}\s*\(", 0, None) for name in rules.calls]
    found += [(Spot.SHAPE, f"(?:{rule.shape.pattern})", 0, rule) for rule in rules.shapes if rule.shape]
    found += [(Spot.WORD, rf"\b{_literal(word)}(?:\b|_)", caseless, vendor) for word, vendor in rules.words.items()]
    found += [(Spot.LABEL, expression, 0, name) for name, expression in SPOTTED.items()]
    return found


class Spotter:
    """A compiled pattern database. One per thread: its scratch space is not shared."""

    def __init__(self, looked_for: list[Pattern], database: hyperscan.Database) -> None:
        """Use :meth:`load`."""
        self._meaning = [(spot, payload) for spot, _, _, payload in looked_for]
        self._database = database
        self._scratch = hyperscan.Scratch(database)

    @classmethod
    def load(cls, rules: RuleSet, folder: Path | None) -> Spotter:
        """Load the compiled patterns from *folder*, or compile them (most of a second) and keep them there."""
        looked_for = patterns(rules)
        text = "\0".join(f"{expression}\1{flags}" for _, expression, flags, _ in looked_for)
        version = f"{metadata.version('hyperscan')}\0{platform.machine()}\0{text}"
        path = folder / f"{hashlib.sha256(version.encode()).hexdigest()[:32]}.spots" if folder else None
        kept = cache.read(path) if path else None
        if kept is not None:
            return cls(looked_for, hyperscan.loadb(kept, hyperscan.HS_MODE_BLOCK))
        database = hyperscan.Database()
        database.compile(
            expressions=[expression.encode("ascii") for _, expression, _, _ in looked_for],
            ids=list(range(len(looked_for))),
            elements=len(looked_for),
            flags=[flags for _, _, flags, _ in looked_for],
        )
        if path:
            cache.write(path, hyperscan.dumpb(database))
        return cls(looked_for, database)

    def spot(self, data: bytes) -> Spots:
        """Mark *data*, which holds one byte per code point and ends with a line end."""
        events: list[tuple[int, int, int]] = []
        append = events.append
        self._database.scan(
            data,
            match_event_handler=lambda number, start, end, _flags, _context: append((number, start, end)),
            scratch=self._scratch,
        )
        spots = Spots()
        meaning = self._meaning
        for number, start, end in events:
            spot, payload = meaning[number]
            if spot is Spot.RUN:
                spots.runs.append((start, end - 1))
            elif spot is Spot.NAME:
                spots.names.append(end)
            elif spot is Spot.WORD:
                spots.words.append((end, str(payload)))
            elif spot is Spot.CALL:
                spots.calls.append(end)
            elif spot is Spot.MARK:
                spots.marks.append(end)
            elif spot is Spot.LABEL:
                spots.labels.append((end, str(payload)))
            elif spot is Spot.URL:
                spots.urls.append(start)
            else:
                spots.shapes.append((payload, end))  # type: ignore[arg-type]
        return spots


def _literal(text: str) -> str:
    return re.sub(r"([^A-Za-z0-9_])", r"\\\1", text)


def _is_common(name: str) -> bool:
    """Names that stand everywhere and mean a credential only inside of the vendor's own call."""
    return role(name) is Role.NONE and name.lower() in (
        "username email value login account user client_id clientid project_id instance config auth_type id_ "
        "settings credentials_file verify".split()
    )
