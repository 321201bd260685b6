"""Trails to look at: made by the real log, small enough to be spoilt a thousand times."""

from __future__ import annotations

from pathlib import Path

from jupyter_qguard.audit import AuditEvent, AuditLog, Identity, IdentityKind, LogSettings
from jupyter_qguard.audit.checkpoints import load_public_key
from jupyter_qguard.audit.event import EgressDecided, OverrideGranted
from jupyter_qguard.audit.trail import RecordFilter, read_records
from jupyter_qguard.audit.verify import Verification, verify

ME = Identity(kind=IdentityKind.PERSON, user="ada", role="researcher", environment="dev", source="server")
SMALL = LogSettings(segment_bytes=4000, checkpoint_records=7, checkpoint_seconds=3600)
"""Some ten records a segment; checkpoints by count alone."""


def event(number: int) -> AuditEvent:
    data = OverrideGranted(override=f"o{number}", reason=f"test {number}", rule_ids=("ibm-quantum-api-key",))
    return AuditEvent(data=data, notebook="work/vqe.ipynb", cell="a1")


def refusal(host: str = "a.example") -> AuditEvent:
    return AuditEvent(data=EgressDecided(action="refuse", host=host, port=443))


def open_log(folder: Path, settings: LogSettings = SMALL, **options) -> AuditLog:
    return AuditLog.open(folder, ME, settings=settings, **options)


def make_trail(folder: Path, records: int, settings: LogSettings = SMALL) -> None:
    """A trail whose last record is covered by a checkpoint."""
    log = open_log(folder, settings)
    for number in range(records):
        log.append(event(number))
    log.close()


def check(folder: Path, **options) -> Verification:
    return verify(folder, load_public_key((folder / "checkpoint.pub").read_bytes()), **options)


def records_in(folder: Path, **wanted) -> list[dict]:
    return list(read_records(folder, RecordFilter(**wanted)))


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("audit-*.jsonl"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that verification reads."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.jsonl"))} | {
        "checkpoint.pub": (folder / "checkpoint.pub").read_bytes()
    }


def lay(files: dict[str, bytes], folder: Path) -> Path:
    """A copy of a trail, as an auditor gets it: without lock and key."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
