"""The trail for people: its records and what a verification found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_qguard.audit.verify import Verification


def row(record: dict[str, Any]) -> tuple[str, ...]:
    """The cells of one record."""
    data = record.get("data")
    said = json.dumps(data, ensure_ascii=False) if data else ""
    sequence, *rest = (str(record.get(name, "")) for name in ("sequence", "time", "type", "user", "notebook"))
    return tuple(_printable(cell) for cell in (sequence.lstrip("0"), *rest, said))


def _printable(text: str) -> str:
    """*text* without what could command a terminal: a trail from elsewhere may hold anything."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def print_table(records: list[dict[str, Any]]) -> None:
    """Print records to a terminal."""
    from rich.console import Console  # noqa: PLC0415 (slow to import, and only a terminal needs it)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(show_edge=False)
    for name in ("#", "time (UTC)", "type", "user", "notebook", "what"):
        table.add_column(name, overflow="fold")
    for record in records:
        table.add_row(*(Text(cell) for cell in row(record)))
    Console().print(table)


def print_verification(found: Verification, key: Path) -> None:
    """Print what a verification with *key* found; problems to standard error."""
    click.echo(f"{found.records} records ({found.first} to {found.last}) in {found.segments} segments")
    if found.checkpoint:
        click.echo(f"last checkpoint: record {found.checkpoint.sequence}, {found.checkpoint.time}")
    click.echo(f"key: {key}")
    for note in found.notes:
        click.echo(f"note: {note}.")
    for problem in found.problems:
        where = f"{problem.file}:{problem.line}" if problem.line else problem.file
        click.echo(f"{where}: {problem.text}", err=True)
    click.echo("TAMPERED" if found.problems else "whole")


def print_json(found: Verification, key: Path) -> None:
    """The same as one JSON object."""
    last = found.checkpoint
    result = {
        "version": 1,
        "whole": found.whole,
        "records": found.records,
        "first": found.first,
        "last": found.last,
        "segments": found.segments,
        "checkpoint": {"sequence": last.sequence, "hash": last.hash, "time": last.time} if last else None,
        "key": str(key),
        "notes": found.notes,
        "problems": [{"file": each.file, "line": each.line, "message": each.text} for each in found.problems],
    }
    click.echo(json.dumps(result, indent=2))
