"""The ``qguard`` command. Each sub-command is a file of its own and is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from jupyter_qguard._version import __version__
from jupyter_qguard.errors import QGuardError

COMMANDS = ("allow", "audit", "doctor", "init", "leases", "policy", "redact", "scan", "vault")
INTERNAL_ERROR = 70


class LazyGroup(click.Group):
    """A group whose commands live in ``jupyter_qguard.cli.<name>`` under their own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in alphabetical order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"jupyter_qguard.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=LazyGroup,
    epilog="""\b
    Examples:
      qguard scan .                      find secrets in notebooks, text files and logs
      qguard redact in.ipynb -o out.ipynb
      qguard policy explain
    Exit codes: 0 fine, 1 findings, 2 usage, 3 invalid policy, 4 unreadable input, 70 internal error.
    """,
)
@click.version_option(__version__, prog_name="qguard")
def group() -> None:
    """Keep quantum hardware keys out of notebooks."""


def main() -> None:
    """Entry point: every error becomes one message and the exit code of its kind. No message holds a secret.

    A reader of standard output that goes away ends the command with 1 and without a word: click sees to that.
    """
    try:
        code = group.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except QGuardError as error:
        click.echo(f"qguard: {error}", err=True)
        code = error.exit_code
    except OSError as error:
        click.echo(f"qguard: {error.strerror or 'input or output failed'}: {error.filename or ''}", err=True)
        code = 4
    except Exception as error:  # noqa: BLE001 - the last resort; a traceback could show what was read
        click.echo(
            f"qguard: internal error ({type(error).__name__}). Nothing was written. Please report it with the command "
            "you gave, without the data.",
            err=True,
        )
        code = INTERNAL_ERROR
    sys.exit(code if isinstance(code, int) else 0)
