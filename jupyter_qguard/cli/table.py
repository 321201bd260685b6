"""Tables of the command line: with lines on a terminal, elsewhere one row a line."""

from __future__ import annotations

import sys

import click

from jupyter_qguard.cli.output import plain


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]], nothing: str) -> None:
    """Print *rows*, elsewhere than on a terminal with two spaces between cells; *nothing* where there is none."""
    if not rows:
        click.echo(nothing, err=True)
        return
    shown = [tuple(plain(cell) for cell in row) for row in rows]
    if not sys.stdout.isatty():
        for row in shown:
            click.echo("  ".join(cell or "-" for cell in row))
        return
    from rich.console import Console  # noqa: PLC0415 (slow to import, and only a terminal needs it)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(show_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in shown:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
