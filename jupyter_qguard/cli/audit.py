"""``qguard audit``: read the trail, verify it, hand it out. Reading and handing out are themselves recorded."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from jupyter_qguard.audit import EventType, audit_paths
from jupyter_qguard.audit.custody import read_statement, verification_key
from jupyter_qguard.audit.event import AuditExported, AuditRead
from jupyter_qguard.audit.export import ExportFormat, Sanitiser, export_lines
from jupyter_qguard.audit.trail import RecordFilter, last_of, read_records
from jupyter_qguard.audit.verify import verify as verify_trail
from jupyter_qguard.cli.reading import key_places, record_reading, trail_folder
from jupyter_qguard.cli.trail import print_json, print_table, print_verification, row
from jupyter_qguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


_TAMPERED = 1
_SPOOL_BYTES = 16 << 20
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?)?)?)?")
"""The beginning of an RFC 3339 time."""
_TYPES = click.Choice([kind.value for kind in EventType])
_file = click.Path(path_type=Path, dir_okay=False)
_existing = click.Path(path_type=Path, dir_okay=False, exists=True)
_path_option = click.option(
    "--path", type=click.Path(path_type=Path), help="Folder of the trail; without it the one that the policy names."
)
_format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def _time(context: click.Context, option: click.Parameter, value: str) -> str:
    """Refuse what no record's time could begin with, for a typing error would choose no record, silently."""
    time = value.removesuffix("Z")
    if time and not _TIME.fullmatch(time):
        message = f"{value!r} is no time in UTC such as 2027-01-31 or 2027-01-31T09:00"
        raise click.BadParameter(message, context, option)
    return time


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose records."""
    options = (
        click.option("--type", "types", multiple=True, type=_TYPES, help="Only this type; can be repeated."),
        click.option("--user", default="", help="Only what this user did."),
        click.option("--notebook", default="", help="Only this notebook, by its path on the server."),
        click.option(
            "--correlation-id", "--trace", "trace", default="", help="Only what came of this cell (W3C trace id)."
        ),
        click.option("--job", default="", help="The way of this job: cell, lease, requests, results; the vendor's id."),
        click.option(
            "--since", default="", callback=_time, help="From this time, UTC: 2027-01-31 or 2027-01-31T09:00."
        ),
        click.option("--until", default="", callback=_time, help="Up to the end of this day or minute, UTC."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(
    epilog="""\b
    Examples:
      qguard audit show --last 20
      qguard audit verify
      qguard audit export -o trail.jsonl
    """
)
def audit() -> None:
    """Read, verify and export the audit trail.

    The trail says who did what with which secret, where and when: one record a line, each chained to the one before,
    with signed checkpoints. It holds no secret and no text of a notebook.
    """


@audit.command(
    epilog="""\b
    Examples:
      qguard audit show
      qguard audit show --type override.granted --since 2027-01-01
      qguard audit show --notebook work/vqe.ipynb --format json
      qguard audit show --job d5d4486812055b407ee0
    """
)
@_path_option
@_filters
@click.option("--last", "count", type=click.IntRange(1), default=50, show_default=True, help="How many, at most.")
@_format_option
def show(path: Path | None, count: int, form: str, **filters: Any) -> None:
    """Show the last records, oldest first. That you looked is recorded."""
    folder, wanted = trail_folder(path), _wanted(**filters)
    records = last_of(read_records(folder, wanted), count)
    record_reading(folder, AuditRead(records=len(records), filters=(*wanted.words(), f"path={folder}")))
    if form == "json":
        for record in records:
            click.echo(json.dumps(record))
    elif sys.stdout.isatty():
        print_table(records)
    else:
        for record in records:
            click.echo("  ".join(row(record)))


@audit.command(
    epilog="""\b
    Examples:
      qguard audit verify
      qguard audit verify --checkpoint /mnt/worm/checkpoints.jsonl
      qguard audit verify --path evidence/audit --key evidence/checkpoint.pub
    """
)
@_path_option
@click.option("--key", type=_existing, help="Public key of the checkpoints (PEM).")
@click.option(
    "--checkpoint", "kept", type=_existing, help="A copy of checkpoints.jsonl kept elsewhere, or one line of it."
)
@_format_option
@click.pass_context
def verify(context: click.Context, path: Path | None, key: Path | None, kept: Path | None, form: str) -> None:
    """Say whether the trail is whole: nothing changed, removed, reordered or cut off. Ends with 0, or 1 if tampered.

    Two things the trail alone cannot show: that records after the last checkpoint were cut off or rewritten, and that
    the whole trail was replaced by somebody who has its private key. A checkpoint kept where that person cannot write
    shows both: copy checkpoints.jsonl there now and then, and name it with --checkpoint.
    """
    folder = trail_folder(path)
    public, source = verification_key(folder, key or _key_of_own(path, folder), key_places(folder))
    found = verify_trail(folder, public, against=read_statement(kept) if kept else None)
    if form == "json":
        print_json(found, source)
    else:
        print_verification(found, source)
    context.exit(0 if found.whole else _TAMPERED)


@audit.command(
    epilog="""\b
    Examples:
      qguard audit export --since 2027-01-01 -o january.jsonl
      qguard audit export --format csv --type lease.granted > leases.csv
    """
)
@_path_option
@_filters
@click.option("--format", "form", type=click.Choice([each.value for each in ExportFormat]), default="jsonl")
@click.option("-o", "--output", type=_file, help="Write to this file, which only you can read.")
@click.option("--identified", is_flag=True, help="Leave names of people and notebooks, and reasons, as they are.")
def export(path: Path | None, form: str, output: Path | None, *, identified: bool, **filters: Any) -> None:
    """Hand records out, sanitised: people and notebooks under pseudonyms, without what people wrote. It is recorded.

    Each line keeps the hash of its record, so that it can be found in the trail again.
    """
    folder, wanted, kind = trail_folder(path), _wanted(**filters), ExportFormat(form)
    tally = _Tally()
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        digest = hashlib.sha256()
        for line in export_lines(tally.counted(read_records(folder, wanted)), Sanitiser(identified), kind):
            digest.update(line)
            spool.write(line)
        event = AuditExported(
            records=tally.count,
            format=kind.value,
            identified=identified,
            first=tally.first,
            last=tally.last,
            digest=digest.hexdigest(),
            filters=(*wanted.words(), f"path={folder}"),
        )
        record_reading(folder, event)
        spool.seek(0)
        _hand_out(spool, output)
    click.echo(f"{tally.count} records, SHA-256 {event.digest}", err=True)


class _Tally:
    """Counts the records that go by."""

    def __init__(self) -> None:
        self.count = self.first = self.last = 0

    def counted(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """*records*, as they are."""
        for record in records:
            sequence = str(record.get("sequence", ""))
            self.last = int(sequence) if sequence.isdecimal() else self.last
            self.first = self.first or self.last
            self.count += 1
            yield record


def _key_of_own(path: Path | None, folder: Path) -> Path | None:
    """One's own trail is verified with one's own key: whoever replaced the trail also replaced the copy beside it."""
    own = audit_paths(None, os.environ, Path.home())
    return own.key if (path is None or folder == own.folder) and own.key.exists() else None


def _wanted(types: tuple[str, ...], trace: str, **others: str) -> RecordFilter:
    return RecordFilter(frozenset(EventType(name) for name in types), correlationid=trace, **others)


def _hand_out(spool: IO[bytes], output: Path | None) -> None:
    if output is None:
        shutil.copyfileobj(spool, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)  # one that was there may have been open to others
            shutil.copyfileobj(spool, file)
    except OSError as error:
        message = f"{output}: {error.strerror}"
        raise InputError(message) from None
