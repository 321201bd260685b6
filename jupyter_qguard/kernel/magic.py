"""``%qguard``: finds the command and shows its errors in one line. Each command is a module of ``commands``.

A command has ``USAGE`` (a line of the help) and ``run``, which gets the words behind its name, prints, and returns None.
An error ends the cell, as what stands below would go on without what was asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from IPython.core.error import UsageError

from jupyter_qguard.errors import QGuardError

COMMANDS = ("use", "release", "status", "explain")
"""In the order of the help."""


def qguard(line: str) -> None:
    """The guard of this kernel: ``%qguard`` alone says what can be asked."""
    name, _, words = line.strip().partition(" ")
    if not name:
        print(_help())  # noqa: T201 - what is asked for
        return
    if name not in COMMANDS:
        raise UsageError(f"qguard: there is no `%qguard {name}`; there is {', '.join(COMMANDS)}")
    try:
        _command(name).run(words.strip())
    except QGuardError as error:
        raise UsageError(f"qguard: {error}") from None


def complete(_shell: Any, event: Any) -> list[str]:
    """The names of commands, for IPython's completer."""
    words = event.line.split()
    return list(COMMANDS) if len(words) < 2 or (len(words) == 2 and event.symbol) else []


def _help() -> str:
    return "\n".join(["The guard of this kernel:", *(f"  {_command(name).USAGE}" for name in COMMANDS)])


def _command(name: str) -> Any:
    return import_module(f"jupyter_qguard.kernel.commands.{name}")
