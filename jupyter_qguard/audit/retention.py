"""Which segments may go: whole ones, sealed, covered by a checkpoint, and older than the policy keeps records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.audit.envelope import timestamp, unseal

if TYPE_CHECKING:
    from jupyter_qguard.audit.chain import Chain
    from jupyter_qguard.audit.folder import AuditFolder

_NS_PER_DAY = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Removable:
    """A segment that may go."""

    name: str
    sequence: int
    """Of its last record."""
    hash: str
    """Of its last record."""


def removable_segments(folder: AuditFolder, chain: Chain, days: int, now_ns: int) -> list[Removable]:
    """The oldest segments that may be removed, oldest first.

    The segment that is being written never goes, nor does one after a segment that stays: what is left is one piece.
    """
    limit = timestamp(max(0, now_ns - days * _NS_PER_DAY))
    removable: list[Removable] = []
    for name in folder.segment_names():
        if name == chain.segment.name or not folder.is_sealed(name):
            break
        found = unseal(folder.last_line(name))
        if not found or found[0].time >= limit or int(found[0].sequence) > chain.covered:
            break
        removable.append(Removable(name, int(found[0].sequence), found[1]))
    return removable
