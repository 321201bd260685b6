"""``qguard vault``: store and remove hardware keys, with who answers for them.

No command prints a value, or takes one as an argument.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from typing import TYPE_CHECKING

import click

from jupyter_qguard.cli.vault_view import list_, open_vaults, place_of, policy_in_force, show, status
from jupyter_qguard.errors import InputError, UsageError
from jupyter_qguard.policy.model import Environment
from jupyter_qguard.secret import SecretRef, SecretRefError, SecretValue, is_handle, is_mark
from jupyter_qguard.vault import Governance, WritableSource
from jupyter_qguard.vault.governance import LONGEST

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST_VALUE = 1 << 16
_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(
    epilog="""\b
    References:
      local://NAME                    the embedded vault, which needs no set-up
      keyring://SERVICE/NAME          the keyring of your desktop
      openbao://MOUNT/PATH#FIELD      OpenBao; vault://… for HashiCorp Vault
      aws://NAME#FIELD                AWS Secrets Manager

    \b
    Examples:
      qguard vault add local://ibm --owner me --purpose benchmarks --environment dev --expires 2027-01-31
      qguard vault status
    """
)
def vault() -> None:
    """Store hardware keys where no notebook sees them, and say how they stand."""


@vault.command(
    epilog="""\b
    The value comes from a prompt that shows nothing, or from standard input; one line end after it is dropped.

    \b
    Examples:
      qguard vault add local://ibm --owner me --purpose benchmarks --environment dev --expires 2027-01-31
      qguard vault add local://aws --field access_key_id --owner me --purpose tests --environment dev \\
          --expires 2027-01-31 < key.txt
    Exit codes: 0 stored, 2 usage, 3 invalid policy, 4 the vault or the value does not permit it.
    """,
)
@click.argument("reference", metavar="REF")
@click.argument("more", nargs=-1, metavar="", type=click.UNPROCESSED)
@click.option("--owner", required=True, help="Who answers for it, and renews it.")
@click.option("--purpose", required=True, help="What it is for.")
@click.option(
    "--environment",
    required=True,
    type=click.Choice([each.value for each in Environment]),
    help="Which access entries get it: only those for the same one.",
)
@click.option("--expires", required=True, type=_DAY, metavar="DATE", help="Last day on which it is handed out.")
@click.option("--field", default="", help="Which of several values of one secret, by the vendor's name for it.")
def add(
    reference: str, more: tuple[str, ...], owner: str, purpose: str, environment: str, expires: dt.datetime, field: str
) -> None:
    """Store a value at REF, or a new one in the place of the one that is there.

    What is said with the options holds for all fields of REF from now on.
    """
    if more:
        raise UsageError(
            "a value is never an argument: other programs and the shell's history see those, so replace that key if you "
            "gave one. Give the command without it; it asks"
        )
    policy = policy_in_force()
    target = _target(reference, field, policy.vaults.others)
    governance = Governance(
        _label("owner", owner), _label("purpose", purpose), Environment(environment), expires.date()
    )
    if governance.expires < dt.datetime.now(dt.timezone.utc).date():
        raise UsageError(f"--expires: {governance.expires} is over")
    with open_vaults(policy) as vaults:
        source = vaults.usable(target.source)
        if not isinstance(source, WritableSource):
            raise UsageError(f"{target.source}:// is only read from here: store it with that vault's own tools")
        version = source.write(target.path, target.field, _value(), governance.labels())
    click.echo(f"{target}: stored, version {version}, for {environment}, until {governance.expires}, owner {owner}.")
    if not any(each.place == target.place for entry in policy.access for each in entry.secrets.values()):
        click.echo(f"No access entry of the policy names {target.place} yet, so no notebook can use it.", err=True)


@vault.command(
    epilog="""\b
    Examples:
      qguard vault remove local://ibm
      qguard vault remove openbao://quantum/dev/ibm --yes

    \b
    OpenBao and Vault keep a deleted version until it is destroyed, AWS for 30 days; the others keep nothing.
    Exit codes: 0 removed, 1 you said no, 2 usage, 3 invalid policy, 4 it is not there, or the vault does not permit it.
    """
)
@click.argument("reference", metavar="REF")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(context: click.Context, reference: str, *, yes: bool) -> None:
    """Remove the secret at REF with all of its fields."""
    policy = policy_in_force()
    target = place_of(reference, policy.vaults.others)
    if target.field:
        raise UsageError(f"a secret is removed with all of its fields: write {target.place}")
    using = [entry.name for entry in policy.access if any(r.place == target.place for r in entry.secrets.values())]
    if using:
        click.echo(f"Access entries that use it: {', '.join(using)}.", err=True)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked: give --yes")
        if not click.confirm(f"Remove {target.place} with all of its fields?", err=True):
            click.echo("Nothing was removed.", err=True)
            context.exit(1)
    with open_vaults(policy) as vaults:
        source = vaults.usable(target.source)
        if not isinstance(source, WritableSource):
            raise UsageError(f"{target.source}:// is only read from here: remove it with that vault's own tools")
        source.remove(target.path)
    click.echo(f"{target.place}: removed.")


vault.add_command(list_)
vault.add_command(show)
vault.add_command(status)


def _target(text: str, field: str, others: Collection[str]) -> SecretRef:
    """The reference with the field, however that was given.

    Raises
    ------
    UsageError
        It is none, or names two fields.
    """
    if field and not _FIELD.fullmatch(field):
        raise UsageError("--field: a name has letters, digits, `.`, `_` and `-`, and begins with a letter or digit")
    found = place_of(text, others)
    if found.field and field and found.field != field:
        raise UsageError(f"{found} and --field {field} name two fields")
    target = SecretRef(found.source, found.path, found.field or field)
    if not target.field and found.source in {"openbao", "vault", "aws"}:
        raise SecretRefError(f"{target} needs a field: write {target}#FIELD, or give --field")
    return target


def _label(name: str, text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST or not text.isprintable():
        raise UsageError(f"--{name}: one line of 1 to {LONGEST} characters is expected")
    return text


def _value() -> SecretValue:
    """The value, from a prompt that shows nothing or from standard input.

    Raises
    ------
    InputError
        There is none, or it cannot be one.
    """
    if sys.stdin.isatty():
        text = click.prompt("Value (not shown)", hide_input=True, default="", show_default=False, err=True)
    else:
        data = sys.stdin.buffer.read(_LONGEST_VALUE + 1)
        if len(data) > _LONGEST_VALUE:
            raise InputError(f"standard input holds more than {_LONGEST_VALUE >> 10} KiB: that is no key")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            data = b""
            raise InputError("standard input is no UTF-8 text; nothing was stored") from None
    text = text.removesuffix("\n").removesuffix("\r")
    problem = _problem(text)
    if problem:
        del text
        raise InputError(f"{problem}; nothing was stored")
    if text != text.strip():
        click.echo("notice: the value begins or ends with a space or line end, which is stored too.", err=True)
    return SecretValue(text)


def _problem(text: str) -> str:
    if not text.strip():
        return "no value was given"
    if "\0" in text:
        return "the value has a NUL character"
    if is_handle(text) or is_mark(text):
        return "this is a handle or a mark of the guard, and not the key that it stands for"
    return ""
