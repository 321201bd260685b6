"""What was done under an access entry before, by the trail: a restart of the gateway begins no quota anew."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from jupyter_qguard.audit.event import EventType
from jupyter_qguard.audit.trail import RecordFilter, read_records
from jupyter_qguard.broker.lending import LONGEST
from jupyter_qguard.broker.quota import SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from jupyter_qguard.policy.model import AccessEntry, Operation


def done_before(
    folder: Path, entry: AccessEntry, operations: Collection[Operation], users: Collection[str], now: float
) -> dict[Operation, list[float]]:
    """When each of *operations* was done under *entry* by one of *users*, in seconds since the epoch; oldest first.

    What was allowed counts, also where the vendor refused it then. Reads the trail in *folder*, which takes a while.

    Raises
    ------
    AuditUnavailableError
        The trail cannot be read.
    """
    spans = {operation: SECONDS[entry.quota[operation].period] for operation in operations}
    done: dict[Operation, list[float]] = {operation: [] for operation in operations}
    by_value = {operation.value: operation for operation in operations}
    leases: set[str] = set()
    wanted = RecordFilter(
        types=frozenset({EventType.LEASE_GRANTED, EventType.OPERATION_DECIDED}),
        since=_text(now - max(spans.values()) - LONGEST),
    )
    for record in read_records(folder, wanted):
        data = record.get("data")
        if not isinstance(data, dict) or record.get("user") not in users:
            continue
        if data.get("access") == entry.name:
            leases.add(str(data.get("lease")))
            continue
        operation, time = by_value.get(str(data.get("operation"))), _seconds(record)
        if operation is None or data.get("action") != "allow" or data.get("cause") or data.get("lease") not in leases:
            continue
        if time > now - spans[operation]:
            done[operation] += [time] * max(1, int(data.get("count", 1)))
    return done


def _text(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _seconds(record: dict[str, Any]) -> float:
    try:
        return dt.datetime.fromisoformat(str(record.get("time")).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
