"""What every scene of the demonstration has at hand: the place, the server, the screen, and the list of checks."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from examples.demo.server import Client, Place

_COMMAND_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    promise: str
    held: bool
    seen: str
    """What the run showed."""


@dataclass(slots=True)
class Stage:
    """Handed from scene to scene."""

    place: Place
    console: Console
    checks: list[Check] = field(default_factory=list)
    server: Client | None = None
    """The guarded server, once it runs."""

    @property
    def client(self) -> Client:
        """The guarded server. Raises LookupError before it runs."""
        if self.server is None:
            message = "the guarded server does not run yet"
            raise LookupError(message)
        return self.server

    def scene(self, title: str, told: str) -> None:
        """Announce what comes."""
        self.console.print()
        self.console.rule(f"[bold]{title}[/bold]", align="left")
        self.console.print(told, style="dim")

    def check(self, promise: str, seen: str, *, held: bool) -> None:
        """Note whether *promise* held, and show it."""
        self.checks.append(Check(promise, held, seen))
        mark = "[bold green]PASS[/bold green]" if held else "[bold red]FAIL[/bold red]"
        self.console.print(f"{mark} {promise}: {seen}", highlight=False)

    def quote(self, title: str, text: str) -> None:
        """Show words of a program."""
        self.console.print(Panel(Text(text.strip()), title=title, title_align="left", border_style="cyan"))

    def compare(self, before: str, after: str) -> None:
        """Show two texts beside each other."""
        table = Table(expand=True, border_style="cyan")
        table.add_column("in the editor", ratio=1, overflow="fold")
        table.add_column("on the disk", ratio=1, overflow="fold")
        table.add_row(Text(before), Text(after))
        self.console.print(table)

    def run(self, *command: str, variables: Mapping[str, str] | None = None, given: str = "") -> tuple[int, str]:
        """Run a command of the environment in the place's folder; its exit code and all that it printed.

        It reads *given* as its standard input.
        """
        program = str(Path(sys.executable).with_name(command[0]))
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.place.root,
            env=self.place.environment() | {"COLUMNS": "110", "NO_COLOR": "1"} | dict(variables or {}),
            input=given.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def traces(self, *keys: str, besides: str = "") -> str:
        """Where any of *keys* lies, in words; empty if nowhere. *besides*: a file in the root that may hold it."""
        allowed = Path("work", besides)
        return ", ".join(str(path) for path in self.place.holding(*keys) if path != allowed)


def summary(checks: list[Check]) -> Table:
    """The table at the end."""
    table = Table(title="What this run showed", title_justify="left", border_style="cyan")
    table.add_column("promise", overflow="fold")
    table.add_column("held", justify="center")
    table.add_column("seen", overflow="fold")
    for check in checks:
        table.add_row(
            check.promise, "[green]PASS[/green]" if check.held else "[bold red]FAIL[/bold red]", Text(check.seen)
        )
    return table
