"""Durable events a second: ``python -m benchmarks.audit``.

Threads append as the gateway's handlers do: each waits until its record is on the disk. Records are those of a decided
connection, with every field that the contract names. Beside it, in the same folder, the bare cost of the disk: one
``fdatasync`` a record without any group.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
from pathlib import Path
from time import perf_counter

import click

from jupyter_qguard.audit import AuditEvent, AuditLog, Identity, IdentityKind
from jupyter_qguard.audit.custody import verification_key
from jupyter_qguard.audit.event import EgressDecided
from jupyter_qguard.audit.verify import verify

WHO = Identity(kind=IdentityKind.PERSON, user="ada", role="researcher", environment="dev", source="gateway")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def event(number: int) -> AuditEvent:
    """A connection that was allowed."""
    data = EgressDecided(action="allow", host=f"h{number % 50}.example.org", port=443, address="192.0.2.7")
    return AuditEvent(data=data, kernel="k-7", notebook="work/vqe.ipynb", cell="a1", correlationid=TRACE)


def appended(folder: Path, threads: int, events: int) -> float:
    """Events a second; raises if the trail does not hold them all afterwards."""
    log = AuditLog.open(folder, WHO)
    each = events // threads

    def append() -> None:
        for number in range(each):
            log.append(event(number))

    workers = [threading.Thread(target=append) for _ in range(threads)]
    started = perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = perf_counter() - started
    log.close()
    found = verify(folder, verification_key(folder, None, ())[0])
    if not found.whole or found.records != each * threads:
        message = f"{found.records} of {each * threads} records, {len(found.problems)} problems"
        raise click.ClickException(message)
    return each * threads / seconds


def synced(folder: Path, events: int) -> float:
    """Bare writes of a record's size, each with a sync of its own, a second."""
    line = b"x" * 650 + b"\n"
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started = perf_counter()
    for _ in range(events):
        os.write(descriptor, line)
        os.fdatasync(descriptor)
    seconds = perf_counter() - started
    os.close(descriptor)
    return events / seconds


def checked(folder: Path) -> float:
    """Records a second of a verification."""
    started = perf_counter()
    found = verify(folder, verification_key(folder, None, ())[0])
    return found.records / (perf_counter() - started)


@click.command()
@click.option("--events", default=30_000, show_default=True, help="In each run.")
@click.option("--rounds", default=3, show_default=True, help="The median counts.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="A folder on the disk to measure.")
def main(events: int, rounds: int, folder: Path | None) -> None:
    """Measure the audit log."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        base = Path(temporary)
        click.echo(f"one fdatasync a record   {synced(base, 2000):9.0f} /s")
        for threads in (1, 8, 64, 256):
            few = events // 10 if threads == 1 else events
            rates = [appended(base / f"{threads}-{number}", threads, few) for number in range(rounds)]
            click.echo(f"{threads:4} threads            {statistics.median(rates):9.0f} /s")
        click.echo(f"verification             {checked(base / '64-0'):9.0f} /s")


if __name__ == "__main__":
    main()
