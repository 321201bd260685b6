"""What a request does, by the vendor's catalogue: method and path decide. What no entry speaks of is not done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.broker.target import Target
    from jupyter_qguard.catalog.model import Operation, OperationClass

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
        return next((names[name] for name in ("id", "uuid", "job", "job_id", "task") if name in names), "")


def match_operation(operations: Sequence[Operation], method: str, target: Target) -> Matched | None:
    """The operation that *method* at *target* is; of several the one that leaves least open. None if there is none."""
    best: Matched | None = None
    fewest = 0
    for operation in operations:
        if operation.method not in (method, ANY):
            continue
        values = _match(operation.path, target.segments)
        if values is not None and (best is None or len(values) < fewest):
            best, fewest = Matched(operation, values), len(values)
    return best


def _match(template: str, segments: Sequence[str]) -> tuple[tuple[str, str], ...] | None:
    wanted = template[1:].split("/")
    if len(wanted) != len(segments):
        return None
    values = []
    for part, segment in zip(wanted, segments, strict=True):
        if part.startswith("{") and part.endswith("}"):
            if not segment:
                return None
            values.append((part[1:-1], segment))
        elif part != segment:
            return None
    return tuple(values)
