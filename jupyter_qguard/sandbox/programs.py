"""The programs that make a sandbox: where they lie, how they are called, what they get."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.sandbox.errors import MachineError, SandboxUnavailableError
from jupyter_qguard.sandbox.seccomp import filter_program

if TYPE_CHECKING:
    import contextlib

PLACES = "/usr/bin:/bin:/usr/local/bin:/run/current-system/sw/bin"
BARE = {"PATH": PLACES, "LC_CTYPE": "C.UTF-8"}
"""For stub and bubblewrap: a variable of a kernelspec (``LD_PRELOAD``) would run code before the sandbox is there."""
_HERE = Path(__file__).parent
_INTERPRETER = ("-I", "-S")


def find_bwrap() -> str:
    """The program. Raises SandboxUnavailableError."""
    found = shutil.which("bwrap", path=f"{PLACES}:{Path(sys.prefix) / 'bin'}")
    if found is None:
        raise SandboxUnavailableError(
            "bubblewrap is not installed: run `qguard setup`, or install the package `bubblewrap`"
        )
    return found


def python_command(program: str, *arguments: object) -> list[str]:
    """The words that run a *program* of this folder with *arguments*: for most the number of an inherited descriptor."""
    return [sys.executable, *_INTERPRETER, str(_compiled(_HERE / program)), *map(str, arguments)]


def _compiled(program: Path) -> Path:
    """The bytecode of *program* where the installation made it: compiling it takes as long as all that it does."""
    made = Path(importlib.util.cache_from_source(str(program)))
    try:
        fresh = made.parent.parent == program.parent and made.stat().st_mtime >= program.stat().st_mtime
    except OSError:
        return program
    return made if fresh else program


def filter_pipe(stack: contextlib.ExitStack) -> int:
    """The end of a pipe from which bubblewrap reads the filter program; it is smaller than what a pipe holds."""
    try:
        program = filter_program(os.uname().machine)
    except MachineError as error:
        raise SandboxUnavailableError(str(error)) from error
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(program)
    return reader
