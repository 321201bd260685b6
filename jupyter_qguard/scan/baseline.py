"""A baseline: findings that a team has looked at and accepts for now, so that only new ones count.

The file holds keyed fingerprints, never values; without its key, which lies in it, they say nothing. Moving a cell is
no new finding. Pure: text in, text out.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from jupyter_qguard.errors import UsageError
from jupyter_qguard.scan.finding import Finding, ScanResult, Suppressed, SuppressionKind

_KEY_BYTES = 32


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One accepted finding."""

    fingerprint: str
    rule: str
    path: str
    cell: str = ""
    first_seen: dt.date
    owner: str = ""
    reason: str = ""
    expires: dt.date | None = None
    """From this day on it counts again."""


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file's content."""

    version: int
    key: str
    """Base64 of 32 random bytes: the key of the fingerprints."""
    entries: tuple[Entry, ...]

    @property
    def fingerprint_key(self) -> bytes:
        """The key as bytes."""
        return base64.b64decode(self.key)

    def accepted(self, today: dt.date) -> dict[str, Entry]:
        """Entries that hold today, by fingerprint."""
        return {entry.fingerprint: entry for entry in self.entries if entry.expires is None or entry.expires > today}


def new_baseline() -> Baseline:
    """An empty baseline with a fresh key."""
    return Baseline(version=1, key=base64.b64encode(os.urandom(_KEY_BYTES)).decode(), entries=())


def parse_baseline(text: bytes, name: str) -> Baseline:
    """Read a baseline file. Raises UsageError that names *name* and says what is wrong."""
    try:
        baseline = msgspec.json.decode(text, type=Baseline)
        known = baseline.version == 1 and len(base64.b64decode(baseline.key, validate=True)) == _KEY_BYTES
    except (msgspec.DecodeError, binascii.Error, ValueError, UnicodeError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "not JSON, or the key is no base64"
        message = f"{name} is no baseline: {reason}. Write a new one with --update-baseline."
        raise UsageError(message) from None
    if not known:
        message = f"{name} is no baseline of version 1 with a key of {_KEY_BYTES} bytes"
        raise UsageError(message)
    return baseline


def write_baseline(baseline: Baseline) -> bytes:
    """The file's text: sorted, one entry a few lines, so that a diff reads well."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n"


def apply_baseline(result: ScanResult, accepted: Mapping[str, Entry]) -> ScanResult:
    """Move accepted findings to the suppressed ones."""
    kept = tuple(finding for finding in result.findings if finding.fingerprint not in accepted)
    moved = tuple(
        Suppressed(finding, SuppressionKind.BASELINE, accepted[finding.fingerprint].reason)
        for finding in result.findings
        if finding.fingerprint in accepted
    )
    return replace(result, findings=kept, suppressed=result.suppressed + moved)


def update_baseline(
    baseline: Baseline, found: Iterable[tuple[str, Finding]], scanned: Iterable[str], today: dt.date
) -> Baseline:
    """Add what was found, keep what is known, drop what is gone from the *scanned* paths."""
    known = {entry.fingerprint: entry for entry in baseline.entries}
    current: dict[str, Entry] = {}
    for path, finding in found:
        cell = finding.cell.id or str(finding.cell.index) if finding.cell else ""
        entry = Entry(fingerprint=finding.fingerprint, rule=finding.rule_id, path=path, cell=cell, first_seen=today)
        current.setdefault(finding.fingerprint, known.get(finding.fingerprint, entry))
    seen = set(scanned)
    elsewhere = {name: entry for name, entry in known.items() if entry.path not in seen}
    merged = sorted((elsewhere | current).values(), key=lambda entry: (entry.path, entry.rule, entry.fingerprint))
    return Baseline(version=1, key=baseline.key, entries=tuple(merged))
