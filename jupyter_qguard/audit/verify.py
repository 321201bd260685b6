"""Verifies a trail: every byte of every record, their order, and that none is missing up to the last checkpoint.

What no look at the folder alone can show: that records after the last checkpoint were cut off; and that everything was
replaced by somebody who also has the private key. Against both helps a checkpoint kept where that person cannot write:
give it as *against*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.audit.checkpoints import StatementKind, decode_statements, is_signed_by, key_fingerprint
from jupyter_qguard.audit.envelope import unseal
from jupyter_qguard.audit.folder import STATEMENTS, AuditFolder, first_sequence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from jupyter_qguard.audit.checkpoints import Statement

_MAX_PROBLEMS = 50
_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that is not as it was written."""

    file: str
    line: int
    """From 1; 0 where the file as a whole, or its absence, is meant."""
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What the look at a trail found."""

    problems: tuple[Tampering, ...]
    records: int
    first: int
    """Sequence number of the first record that is there; 0 for none."""
    last: int
    segments: int
    checkpoint: Statement | None
    """The last one."""
    notes: tuple[str, ...]
    """What could not be checked, in sentences."""

    @property
    def whole(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems


def verify(path: Path, public: Ed25519PublicKey, *, against: Statement | None = None) -> Verification:
    """Verify the trail in the folder *path* with the public key of its checkpoints.

    Raises
    ------
    AuditUnavailableError
        The folder or a file in it cannot be read.
    """
    folder = AuditFolder(path, create=False)
    try:
        with folder.locked(_LOCK_SECONDS, shared=True):
            lines = list(folder.read_lines(STATEMENTS)) if folder.size(STATEMENTS) else []
            ends = [(name, folder.size(name)) for name in folder.segment_names()]
        torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        statements, left = decode_statements(lines)
        check = _Check(folder, statements, public)
        if torn:
            check.unfinished(STATEMENTS, torn)
        if left:
            check.wrong(STATEMENTS, len(statements) + 1, f"{left} lines from here on are damaged")
        check.statements(against)
        for name, end in ends:
            check.segment(name, end, last=name == ends[-1][0])
        check.end(against)
        return check.result(len(ends))
    finally:
        folder.close()


@dataclass(slots=True)
class _Check:
    """One pass over a trail."""

    folder: AuditFolder
    known: list[Statement]
    public: Ed25519PublicKey
    problems: list[Tampering] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    """Sequence to hash, for the records that a statement names."""
    wanted: set[int] = field(default_factory=set)
    records: int = 0
    first: int = 0
    sequence: int = 0
    previous: str = ""
    sealed_to: int = 0
    """Last record of the finished segments."""

    def wrong(self, file: str, line: int, text: str) -> None:
        """Note a problem."""
        self.problems.append(Tampering(file, line, text))

    def unfinished(self, file: str, line: bytes) -> None:
        """Note that a file ends within a line: to be mended when the log is opened."""
        self.notes.append(f"{file} ends in an unfinished line of {len(line)} bytes: a crash, or tampering")

    def statements(self, against: Statement | None) -> None:
        """Check the statements themselves, and note which records they name."""
        for number, statement in enumerate(self.known, 1):
            if not is_signed_by(statement, self.public):
                self.wrong(STATEMENTS, number, "the signature does not fit the statement and the key")
            if statement.index != number:
                self.wrong(STATEMENTS, number, f"this is statement {statement.index}: one is missing or out of order")
            if statement.log != self.known[0].log:
                self.wrong(STATEMENTS, number, "this statement is about another log")
        if against is not None and not is_signed_by(against, self.public):
            self.wrong("the checkpoint kept elsewhere", 0, f"it is not signed by key {key_fingerprint(self.public)}")
        if against is not None and self.known and against.log != self.known[0].log:
            self.wrong("the checkpoint kept elsewhere", 0, "it is about another log: this one took its place")
        self.wanted = {statement.sequence for statement in self._checkpoints(against)}

    def segment(self, name: str, end: int, *, last: bool) -> None:
        """Check every record of a segment."""
        if self.first == 0:
            self._begin(name)
        elif first_sequence(name) != self.sequence + 1:
            self.wrong(name, 0, self._gap(first_sequence(name)))
            self.sequence, self.previous = first_sequence(name) - 1, ""
        for number, line in enumerate(self.folder.read_lines(name, 0, end), 1):
            if not line.endswith(b"\n") and last:
                self.unfinished(name, line)
            else:
                self._record(name, number, line)
            if len(self.problems) >= _MAX_PROBLEMS:
                return
        if not last:
            self.sealed_to = self.sequence

    def end(self, against: Statement | None) -> None:
        """Hold the records against the checkpoints."""
        if len(self.problems) >= _MAX_PROBLEMS:
            self.notes.append(f"Stopped after {_MAX_PROBLEMS} problems.")
            return
        for statement in self._checkpoints(against):
            if statement.sequence == 0:
                continue  # made before the first record, which was held against it when the first segment was read
            found = self.seen.get(statement.sequence)
            if found == statement.hash or (found is None and self._was_removed(statement.sequence)):
                continue
            where = f"the checkpoint of {statement.time}"
            if statement.sequence > self.sequence:
                text = f"{where} covers record {statement.sequence}, and the log ends at {self.sequence}: truncated"
            else:
                text = f"{where} names another record {statement.sequence} than the one that is there"
            self.wrong(STATEMENTS, 0, text)
        if self.sequence and not self.known:
            self.wrong(STATEMENTS, 0, "there are records and no statement: the first one is older than any record")
        covered = max((statement.sequence for statement in self._checkpoints(None)), default=0)
        if covered < self.sealed_to:
            self.wrong(
                STATEMENTS, 0, f"a finished segment ends at record {self.sealed_to}, and no checkpoint covers it"
            )
        if self.sequence > covered:
            count = self.sequence - covered
            self.notes.append(
                f"{count} records after the last checkpoint: had some of them been cut off or rewritten, nobody could tell"
            )

    def result(self, segments: int) -> Verification:
        """What was found."""
        checkpoints = list(self._checkpoints(None))
        return Verification(
            tuple(self.problems[:_MAX_PROBLEMS]),
            self.records,
            self.first,
            self.sequence,
            segments,
            checkpoints[-1] if checkpoints else None,
            tuple(self.notes),
        )

    def _begin(self, name: str) -> None:
        """Check that the first segment is where the log began, or where retention left it."""
        start = first_sequence(name)
        self.first = start
        if start == 1:
            self.previous = self.known[0].log if self.known else ""
            return
        self.sequence = start - 1
        for statement in self.known:
            if statement.kind is StatementKind.RETENTION and statement.sequence == self.sequence:
                self.previous = statement.hash
                return
        self.wrong(name, 0, f"records 1 to {self.sequence} are missing, and no retention statement says why")

    def _record(self, name: str, number: int, line: bytes) -> None:
        found = unseal(line)
        self.records += 1
        if not found:
            self.wrong(name, number, f"record {self.sequence + 1} was changed: its hash does not fit its text")
            self.sequence += 1
            self.previous = ""
            return
        link, digest = found
        sequence = int(link.sequence) if link.sequence.isdecimal() else 0
        if sequence != self.sequence + 1:
            self.wrong(name, number, self._gap(sequence))
        elif self.previous and link.previous != self.previous:
            self.wrong(
                name, number, f"record {sequence} does not follow the record before it: one of them was replaced"
            )
        self.sequence, self.previous = sequence, digest
        if sequence in self.wanted:
            self.seen[sequence] = digest

    def _gap(self, found: int) -> str:
        expected = self.sequence + 1
        if found > expected:
            return f"records {expected} to {found - 1} are missing here"
        return f"record {found} stands where record {expected} should: out of order or twice"

    def _checkpoints(self, against: Statement | None) -> Iterable[Statement]:
        own = [statement for statement in self.known if statement.kind is StatementKind.CHECKPOINT]
        return [*own, against] if against is not None else own

    def _was_removed(self, sequence: int) -> bool:
        return sequence < self.first and any(
            statement.kind is StatementKind.RETENTION and statement.sequence >= sequence for statement in self.known
        )
