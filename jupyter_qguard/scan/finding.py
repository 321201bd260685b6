"""What the scanner reports. Nothing here holds the secret itself."""

from __future__ import annotations

import enum
import hashlib
import hmac
from dataclasses import dataclass

Span = tuple[int, int]
"""``[start, end)`` in code points of the string that a pointer names."""


class Severity(enum.IntEnum):
    """How bad it is if the finding is right."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The name used in reports and options."""
        return self.name.lower()


class Confidence(enum.IntEnum):
    """How sure the scanner is that the finding is right."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def label(self) -> str:
        """The name used in reports."""
        return self.name.lower()


class Classification(enum.IntEnum):
    """Data classes, lowest first. Credentials are always restricted."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    RESTRICTED = 3

    @property
    def label(self) -> str:
        """The name used in policies, notebooks and reports."""
        return self.name.lower()


class Place(enum.Enum):
    """Which of the policy's ``scan`` actions applies to a finding."""

    SOURCE = "source"
    OUTPUT = "output"
    METADATA = "metadata"
    TEXT_FILE = "text_files"


@dataclass(frozen=True, slots=True)
class CellRef:
    """The cell that a finding is in."""

    index: int
    """Position in the notebook, from 0."""
    id: str | None
    """The nbformat 4.5 cell id, if the cell has one."""
    type: str
    """``code``, ``markdown``, ``raw`` (or nbformat 3's ``heading``, ``html``)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One secret (or classified datum) in one string of a document."""

    rule_id: str
    severity: Severity
    confidence: Confidence
    classification: Classification
    vendor: str | None
    """Catalogue id of the vendor, or None."""
    fingerprint: str
    """Keyed hash of rule and value, 32 hexadecimal digits: see :func:`fingerprint`."""
    pointer: str
    """JSON pointer (RFC 6901) of the string, of the list where lines are a list; ``""`` for a text file.
    A key that holds a secret stands in it as it will after redaction."""
    spans: tuple[Span, ...]
    """The raw characters that must go, as many spans as the secret has parts, in ascending order."""
    in_key: bool
    """True where the string is an object's key."""
    cell: CellRef | None
    place: Place
    preview: str
    """Masked: at most 4 characters of the secret."""
    line: int
    """Line of the first span in its string, from 1."""
    message: str
    """What was found, in one sentence, without the value."""


class SuppressionKind(enum.Enum):
    """By what a finding was suppressed."""

    INLINE = "inline"
    CELL = "cell"
    PRAGMA = "pragma"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that someone declared not to be a secret."""

    finding: Finding
    kind: SuppressionKind
    reason: str
    """Empty where the form has no place for one."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """All that the scan of one document found."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    labels: tuple[Finding, ...] = ()
    """Data that the policy's ``classify`` does not name: reported, never acted on."""
    stated: Classification | None = None
    """The class the notebook states of itself, if any."""

    @property
    def classification(self) -> Classification:
        """The effective class: the highest of what is stated and what was found."""
        found = (f.classification for f in (*self.findings, *self.labels))
        return max([self.stated or Classification.PUBLIC, *found])


def fingerprint(key: bytes, rule_id: str, value: str) -> str:
    """A stable name for a value found by a rule, worthless without *key* (HMAC-SHA-256, first 128 bits)."""
    text = f"{rule_id}\0{value}".encode("utf-8", "surrogatepass")
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:32]


def mask(value: str) -> str:
    """A preview that shows at most 4 characters, and none of a short value."""
    if len(value) < 16:
        return "…" * min(len(value), 3)
    return f"{value[:2]}…{value[-2:]}"
