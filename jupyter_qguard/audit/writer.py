"""Appends to the chain, one caller at a time: numbers, writes, checkpoints, begins new segments.

Everything here happens inside the lock of the folder, so several processes can share a log; what another process
wrote meanwhile is noticed and read before anything is added to it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_qguard.audit.chain import Chain, resume
from jupyter_qguard.audit.checkpoints import Signer, Statement, StatementKind, encode_statement
from jupyter_qguard.audit.envelope import Record, seal, timestamp
from jupyter_qguard.audit.folder import STATEMENTS, AuditFolder
from jupyter_qguard.audit.retention import removable_segments
from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How often, how large, how long."""

    segment_bytes: int = 64 << 20
    checkpoint_records: int = 1000
    """A checkpoint after so many records at the latest …"""
    checkpoint_seconds: float = 60.0
    """… and after so many seconds, if there is a record that none covers."""
    lock_seconds: float = 5.0
    """How long to queue for the lock of the folder."""
    retention_days: int | None = None
    """Whole segments older than this are removed when the log is opened and when a segment is full."""


class ChainWriter:
    """One process's hand on a log. Not safe for two threads at once."""

    def __init__(self, folder: AuditFolder, signer: Signer, settings: LogSettings, clock: Callable[[], int]) -> None:
        """*clock* gives nanoseconds since 1970."""
        self._folder, self._signer, self._settings, self._clock = folder, signer, settings, clock
        self._chain: Chain | None = None
        self._statements_size = 0
        self._torn = 0
        self._checkpointed = time.monotonic()

    def commit(self, prepared: list[dict[str, Any]]) -> list[Record]:
        """Write records that lack only their place in the chain; they are on the disk for good when this returns.

        Raises
        ------
        AuditUnavailableError
            None of them was written.
        """
        with self._held() as chain:
            lines: list[bytes] = []
            records: list[Record] = []
            sequence, previous = chain.sequence, chain.previous
            for record in prepared:
                sequence += 1
                line, previous = seal(record, sequence, previous)
                lines.append(line)
                records.append(Record(sequence=sequence, id=record["id"], hash=previous))
            self._folder.append(chain.segment, b"".join(lines))
            chain.sequence, chain.previous = sequence, previous
            try:
                self._tidy(chain)
            except AuditUnavailableError as error:
                # The records are durable and must be acknowledged; what is missing is made up for the next time.
                self.forget()
                _log.warning("the audit log has no checkpoint for its last records: %s", error)
            return records

    def checkpoint(self) -> Statement:
        """Sign where the chain stands now; the last statement if that covers all."""
        with self._held() as chain:
            if chain.uncovered > 0 or chain.statement is None:
                self._sign(chain)
            return chain.statement or self._sign(chain)

    def retain(self, days: int) -> int:
        """Remove whole checkpointed segments whose last record is older than *days*; how many were removed."""
        with self._held() as chain:
            return self._remove_old(chain, days)

    def resume(self) -> None:
        """Read the end of the log, and mend what a crash left of a line."""
        with self._held():
            pass

    def take_torn(self) -> int:
        """How many bytes of unfinished lines were cut off since the last call."""
        torn, self._torn = self._torn, 0
        return torn

    @property
    def checkpoint_due(self) -> bool:
        """Whether records have been without a checkpoint for too long."""
        late = time.monotonic() - self._checkpointed >= self._settings.checkpoint_seconds
        return late and self._chain is not None and self._chain.uncovered > 0

    def forget(self) -> None:
        """Close the segment; the next call reads the end of the log again."""
        if self._chain:
            self._chain.segment.close()
            self._chain = None

    @contextlib.contextmanager
    def _held(self) -> Iterator[Chain]:
        """Lock the folder and know the end of the chain."""
        with self._folder.locked(self._settings.lock_seconds):
            try:
                yield self._current()
            except BaseException:
                self.forget()
                raise

    def _current(self) -> Chain:
        if self._chain and not self._chain.segment.changed() and self._folder.size(STATEMENTS) == self._statements_size:
            return self._chain
        self.forget()
        self._chain = resume(self._folder)
        self._statements_size = self._folder.size(STATEMENTS)
        self._torn += self._chain.torn
        if self._chain.statement is None:
            # From before the first record on, so that no record ever is without a statement: its absence is tampering.
            self._sign(self._chain)
        return self._chain

    def _tidy(self, chain: Chain) -> None:
        """Checkpoint and begin a new segment where that is due."""
        full = chain.segment.size >= self._settings.segment_bytes
        if full or self.checkpoint_due or chain.uncovered >= self._settings.checkpoint_records:
            self._sign(chain)
        if full:
            self._folder.seal_segment(chain.segment)
            self._chain = None
            chain = self._current()
            if self._settings.retention_days is not None:
                self._remove_old(chain, self._settings.retention_days)

    def _sign(self, chain: Chain) -> Statement:
        self._checkpointed = time.monotonic()
        return self._state(chain, StatementKind.CHECKPOINT, chain.sequence, chain.previous, chain.segment.size)

    def _remove_old(self, chain: Chain, days: int) -> int:
        """A statement for each segment, before it goes: a crash in between leaves a log that still verifies."""
        removable = removable_segments(self._folder, chain, days, self._clock())
        for each in removable:
            self._state(chain, StatementKind.RETENTION, each.sequence, each.hash, 0)
            self._folder.remove_segment(each.name)
        return len(removable)

    def _state(self, chain: Chain, kind: StatementKind, sequence: int, last_hash: str, offset: int) -> Statement:
        statement = self._signer.sign(
            Statement(
                kind=kind,
                index=chain.statement.index + 1 if chain.statement else 1,
                log=chain.log,
                sequence=sequence,
                hash=last_hash,
                segment=chain.segment.name,
                offset=offset,
                time=timestamp(self._clock()),
            )
        )
        self._folder.append_statement(encode_statement(statement))
        self._statements_size = self._folder.size(STATEMENTS)
        chain.statement = statement
        if kind is StatementKind.CHECKPOINT:
            chain.covered = sequence
        return statement
