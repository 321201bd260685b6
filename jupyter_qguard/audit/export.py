"""Hands records out: only the fields listed here, people and notebooks under pseudonyms, nothing that people worded.

The pseudonyms of one export agree with each other and with those of no other export: their key is forgotten.
"""

from __future__ import annotations

import csv
import enum
import hashlib
import hmac
import io
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.audit.envelope import FREE_TEXT
from jupyter_qguard.audit.event import DATA_OF, EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PLAIN = (
    "sequence",
    "time",
    "type",
    "source",
    "identitykind",
    "user",
    "role",
    "environment",
    "kernel",
    "notebook",
    "cell",
    "correlationid",
    "hash",
)
COLUMNS = (*_PLAIN[:-1], "data", "hash")
_PSEUDONYMS = {"user": "person", "notebook": "notebook"}
_IDENTIFYING = FREE_TEXT | {"filters", "sources"}
"""Fields of an event that may name a person, a home folder or a notebook."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula and runs it."""
_encoder = msgspec.json.Encoder(order="sorted")


class ExportFormat(enum.Enum):
    """How an export is written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Sanitiser:
    """Turns a record into what may be handed out."""

    identified: bool = False
    """Leave the names of people and notebooks, and what people worded, as they are."""
    key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)

    def sanitise(self, record: dict[str, Any]) -> dict[str, Any]:
        """The part of *record* that may be handed out. ``hash`` stays: it links the line to the trail."""
        result: dict[str, Any] = {name: self._named(name, str(record[name])) for name in _PLAIN if record.get(name)}
        result["data"] = self._data(record)
        return result

    def _named(self, name: str, value: str) -> str:
        if self.identified or name not in _PSEUDONYMS:
            return value
        digest = hmac.new(self.key, f"{name}\0{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        return f"{_PSEUDONYMS[name]}-{digest[:12]}"

    def _data(self, record: dict[str, Any]) -> dict[str, Any]:
        given = record.get("data")
        try:
            kind = DATA_OF[EventType(record.get("type"))]
        except ValueError:
            return {}
        allowed = {each.encode_name for each in msgspec.structs.fields(kind)}
        if not self.identified:
            allowed -= _IDENTIFYING
        return {name: value for name, value in given.items() if name in allowed} if isinstance(given, dict) else {}


def export_lines(records: Iterable[dict[str, Any]], sanitiser: Sanitiser, form: ExportFormat) -> Iterator[bytes]:
    """*records*, sanitised, as the lines of a file in *form*."""
    if form is ExportFormat.CSV:
        yield _csv_line(COLUMNS)
    for record in records:
        clean = sanitiser.sanitise(record)
        if form is ExportFormat.JSONL:
            yield _encoder.encode(clean) + b"\n"
            continue
        clean["data"] = _encoder.encode(clean["data"]).decode()
        yield _csv_line([_harmless(str(clean.get(name, ""))) for name in COLUMNS])


def _csv_line(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)  # RFC 4180; with `\n` alone, a lone `\r` gets no quotes
    return out.getvalue().encode("utf-8", "replace")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
