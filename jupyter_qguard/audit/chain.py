"""Where the chain stands: finds its end in a folder, mends what a crash left of a line, and goes on from there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.audit.checkpoints import Statement, StatementKind, decode_statements
from jupyter_qguard.audit.envelope import HASH_LENGTH, unseal
from jupyter_qguard.audit.folder import STATEMENTS, first_sequence, refuse, segment_name

if TYPE_CHECKING:
    from jupyter_qguard.audit.folder import AuditFolder, Segment


@dataclass(slots=True)
class Chain:
    """The end of a log that is open for appending. Valid only while the lock of the folder is held."""

    segment: Segment
    log: str
    """Random name of the log: what the first record gives as ``previous``."""
    sequence: int
    """Of the last record; 0 before the first."""
    previous: str
    """Hash of the last record."""
    statement: Statement | None
    """The last one."""
    covered: int = 0
    """The last record that a checkpoint covers."""
    torn: int = 0
    """Bytes of an unfinished line that were cut off."""

    @property
    def uncovered(self) -> int:
        """How many records no checkpoint covers."""
        return self.sequence - self.covered


def resume(folder: AuditFolder) -> Chain:
    """The end of the log in *folder*, which is empty or has been left at any moment. Call with the lock held.

    Raises
    ------
    AuditUnavailableError
        What is there is no continuous chain: nothing may be appended to a log that somebody changed.
    """
    statements, torn = _statements(folder)
    names = folder.segment_names()
    if not statements:
        return _begin(folder, names)
    if not names:
        refuse(folder.path, "there are checkpoints and no records; `qguard audit verify` says more")
    last = statements[-1]
    segment = _next_segment(folder, names[-1]) if folder.is_sealed(names[-1]) else folder.open_segment(names[-1])
    if segment.name != names[-1]:
        names.append(segment.name)
    start, sequence, previous = _base(folder, names, last)
    covered = max((each.sequence for each in statements if each.kind is StatementKind.CHECKPOINT), default=0)
    chain = Chain(segment, last.log, sequence, previous, last, covered, torn)
    _follow(folder, chain, start)
    if chain.uncovered < 0:
        refuse(folder.path, f"it ends at record {chain.sequence}, and a checkpoint covers record {covered}")
    return chain


def _begin(folder: AuditFolder, names: list[str]) -> Chain:
    """A new log. The first statement is written before the first record, so that nothing may be there yet."""
    first = segment_name(1)
    if names not in ([], [first]) or folder.size(first):
        refuse(folder.path, "there are records and no checkpoints; `qguard audit verify` says more")
    name = os.urandom(HASH_LENGTH // 2).hex()
    return Chain(folder.open_segment(first) if names else folder.create_segment(first), name, 0, name, None)


def _next_segment(folder: AuditFolder, sealed: str) -> Segment:
    """The segment after one that was finished just before a crash."""
    found = unseal(folder.last_line(sealed))
    if not found:
        refuse(folder.path, f"{sealed} does not end with a whole record; `qguard audit verify` says more")
    return folder.create_segment(segment_name(int(found[0].sequence) + 1))


def _statements(folder: AuditFolder) -> tuple[list[Statement], int]:
    """The statements, with a torn last line cut off; and how many bytes that was."""
    if not folder.size(STATEMENTS):
        return [], 0
    lines = list(folder.read_lines(STATEMENTS))
    torn = len(lines[-1]) if not lines[-1].endswith(b"\n") else 0
    if torn:
        folder.cut_statements(folder.size(STATEMENTS) - torn)
        del lines[-1]
    found, left = decode_statements(lines)
    if left:
        refuse(folder.path, f"line {len(found) + 1} of {STATEMENTS} is damaged; `qguard audit verify` says more")
    return found, torn


def _base(folder: AuditFolder, names: list[str], last: Statement) -> tuple[int, int, str]:
    """From where the last segment is to be followed: byte, and the sequence and hash of the record before."""
    name = names[-1]
    if last.kind is StatementKind.CHECKPOINT and last.segment == name and last.offset:
        found = unseal(folder.last_line(name, last.offset))
        if not found or found[1] != last.hash:
            refuse(folder.path, f"record {last.sequence} is not the one of the checkpoint")
        return last.offset, last.sequence, last.hash
    sequence = first_sequence(name) - 1
    if len(names) > 1:
        found = unseal(folder.last_line(names[-2]))
        if not found or int(found[0].sequence) != sequence:
            refuse(folder.path, f"{names[-2]} does not end where {name} begins")
        return 0, sequence, found[1]
    if sequence == 0:
        return 0, 0, last.log
    if last.sequence != sequence:
        refuse(folder.path, f"the records before {name} are missing")
    return 0, sequence, last.hash


def _follow(folder: AuditFolder, chain: Chain, start: int) -> None:
    """Walk from byte *start* to the end of the segment, checking each link; cut an unfinished last line off."""
    end = start
    for line in folder.read_lines(chain.segment.name, start):
        if not line.endswith(b"\n"):
            chain.torn += len(line)
            folder.truncate(chain.segment, end)
            return
        found = unseal(line)
        if not found or found[0].previous != chain.previous or int(found[0].sequence) != chain.sequence + 1:
            refuse(
                folder.path,
                f"record {chain.sequence + 1} was changed or damaged: `qguard audit verify` says more; "
                f"to begin a new log, move this folder away and keep it",
            )
        chain.sequence += 1
        chain.previous = found[1]
        end += len(line)
