"""What a request does, by the vendor's catalogue: method and path decide. What no entry speaks of is not done."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.broker.target import Target
    from jupyter_qguard.catalog.model import Operation, OperationClass, Vendor

ANY = "ANY"
GRPC = "GRPC"
"""Stands in the catalogue for POST with a body of ``application/grpc``."""


@dataclass(frozen=True, slots=True)
class Matched:
    """An operation of the catalogue, and what stood in its placeholders."""

    operation: Operation
    values: tuple[tuple[str, str], ...] = ()

    @property
    def does(self) -> OperationClass:
        """Its class."""
        return self.operation.does

    @property
    def label(self) -> str:
        """For records: the path as the catalogue spells it, without what varies."""
        return f"{self.operation.method} {self.operation.path}"

    @property
    def job(self) -> str:
        """The job that it is about, as the path names it; empty if it names none."""
        names = dict(self.values)
        return next((names[name] for name in ("job_id", "id", "uuid", "job", "task") if name in names), "")


def match_operation(vendor: Vendor, host: str, method: str, target: Target) -> Matched | None:
    """The operation that *method* at *target* of *host* is; of several the one that leaves least open, else None."""
    best: Matched | None = None
    least: tuple[int, int] = (0, 0)
    for operation in vendor.operations:
        if operation.method not in (method, ANY) or not stands_at(vendor, operation.at, host):
            continue
        values = _match(operation.path, target.segments)
        openness = (0, 0) if values is None else (len(values), -len(operation.path))
        if values is not None and (best is None or openness < least):
            best, least = Matched(operation, values), openness
    return best


def stands_at(vendor: Vendor, at: str, host: str) -> bool:
    """Whether *host* is where *at* (of an operation) says."""
    return not at or any(at in (each.host, each.role.value) and _spells(each.host, host) for each in vendor.hosts)


def _spells(pattern: str, host: str) -> bool:
    return _host_pattern(pattern).fullmatch(host) is not None


@functools.cache
def _host_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("[a-z0-9-]+".join(map(re.escape, re.split(r"\{[a-z_]+\}", pattern))))


def _match(template: str, segments: Sequence[str]) -> tuple[tuple[str, str], ...] | None:
    wanted = template[1:].split("/")
    if len(wanted) != len(segments):
        return None
    values = []
    for part, segment in zip(wanted, segments, strict=True):
        if not part.startswith("{"):
            if part != segment:
                return None
            continue
        name, _, end = part[1:].partition("}")
        value = segment.removesuffix(end)
        if not value or not segment.endswith(end):
            return None
        values.append((name, value))
    return tuple(values)
