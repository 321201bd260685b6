"""Reads a trail: which records to show, in their order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.audit.folder import AuditFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jupyter_qguard.audit.event import EventType

_LOCK_SECONDS = 10.0
_decoder = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records are meant; all where nothing is said."""

    types: frozenset[EventType] = frozenset()
    user: str = ""
    notebook: str = ""
    """Exactly this path, as claimed."""
    correlationid: str = ""
    since: str = ""
    """RFC 3339 in UTC, or the beginning of one: ``2027-01-31``."""
    until: str = ""
    """As ``since``; everything that begins with it is still meant."""
    job: str = ""
    """The vendor's id of a job: its whole way is meant, see :func:`read_records`."""

    def matches(self, record: dict[str, Any]) -> bool:
        """Whether *record* is meant."""
        time = str(record.get("time", ""))
        names = {"user": self.user, "notebook": self.notebook, "correlationid": self.correlationid}
        return (
            (not self.types or any(record.get("type") == kind.value for kind in self.types))
            and all(not wanted or record.get(name) == wanted for name, wanted in names.items())
            and time >= self.since
            and (not self.until or time[: len(self.until)] <= self.until)
        )

    def words(self) -> tuple[str, ...]:
        """What was asked for, for the record that it was asked."""
        said = [f"type={kind.value}" for kind in sorted(self.types, key=lambda kind: kind.value)]
        for name in ("user", "notebook", "correlationid", "since", "until", "job"):
            value = getattr(self, name)
            if value:
                said.append(f"{name}={value}")
        return tuple(said)


@dataclass(frozen=True, slots=True)
class _Way:
    """What belongs to a job besides the records that name it: its cells, leases, kernels."""

    job: str
    traces: frozenset[str]
    leases: frozenset[str]
    kernels: frozenset[str]

    @classmethod
    def of(cls, job: str, records: Iterable[dict[str, Any]]) -> _Way:
        named = [(record, data) for record in records if (data := _data(record)).get("job") == job]
        traces = {str(record.get("correlationid") or "") for record, _ in named}
        leases = {str(data.get("lease") or "") for _, data in named}
        kernels = {str(record.get("kernel") or "") for record, _ in named}
        return cls(job, frozenset(traces - {""}), frozenset(leases - {""}), frozenset(kernels - {""}))

    def holds(self, record: dict[str, Any]) -> bool:
        data = _data(record)
        if data.get("job") == self.job or record.get("correlationid") in self.traces:
            return bool(data.get("job", self.job) == self.job)  # other jobs of the same cell have ways of their own
        kind = str(record.get("type"))
        of_lease = kind.startswith("lease.") and data.get("lease") in self.leases
        return of_lease or (kind == "kernel.started" and record.get("kernel") in self.kernels)


def read_records(path: Path, wanted: RecordFilter) -> Iterator[dict[str, Any]]:
    """The records of the trail in the folder *path* that *wanted* matches, oldest first.

    Of a job those that name it, all of the cells that they come from, and its leases and kernels: the way from the cell to
    the hardware. Lines that are no record are left out: to find out about those is what verification is for.

    Raises
    ------
    AuditUnavailableError
        The folder or a file in it cannot be read.
    """
    way = _Way.of(wanted.job, _read_all(path)) if wanted.job else None
    for record in _read_all(path):
        if wanted.matches(record) and (way is None or way.holds(record)):
            yield record


def _read_all(path: Path) -> Iterator[dict[str, Any]]:
    folder = AuditFolder(path, create=False)
    try:
        with folder.locked(_LOCK_SECONDS, shared=True):
            ends = [(name, folder.size(name)) for name in folder.segment_names()]
        for name, end in ends:
            for line in folder.read_lines(name, 0, end):
                record = _decoded(line)
                if record:
                    yield record
    finally:
        folder.close()


def last_of(records: Iterable[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The last *count* of *records*."""
    return list(deque(records, maxlen=count))


def _data(record: dict[str, Any]) -> dict[str, Any]:
    data = record.get("data")
    return data if isinstance(data, dict) else {}


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
