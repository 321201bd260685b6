"""``qguard vault list``, ``show`` and ``status``: what is stored, for whom, and what needs somebody. Never a value."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyter_qguard.cli.output import plain
from jupyter_qguard.cli.table import print_table
from jupyter_qguard.policy import load_policy
from jupyter_qguard.process import refuse_inspection
from jupyter_qguard.secret import SecretRef, SecretRefError
from jupyter_qguard.vault import Vaults
from jupyter_qguard.vault.governance import State
from jupyter_qguard.vault.standing import Named, Standing, named_secrets, standings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from jupyter_qguard.policy import Policy

_WITHIN_DAYS = 30
_FINDINGS, _UNREADABLE = 1, 4
_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)


@click.command(
    "list",
    epilog="""\b
    Examples:
      qguard vault list
      qguard vault list --format json
    """,
)
@_format
def list_(form: str) -> None:
    """List the references of stored secrets and of those that the policy names. Asks no vault elsewhere."""
    policy = policy_in_force()
    with open_vaults(policy) as vaults:
        found = named_secrets(vaults, policy.access)
    if form == "json":
        secrets = [{"reference": each.reference.place, "entries": _entries(each)} for each in found]
        click.echo(json.dumps({"version": 1, "secrets": secrets}, indent=2))
        return
    print_table(
        ("reference", "access entries"),
        [(each.reference.place, ", ".join(_entries(each)) or "none") for each in found],
        "Nothing is stored, and the policy names no secret. To store one: qguard vault add --help",
    )


@click.command(
    epilog="""\b
    Examples:
      qguard vault show local://ibm
      qguard vault show openbao://quantum/prod/ibm
    Exit codes: 0 it is handed out, 1 it is not, or not for long, 4 the vault does not say.
    """
)
@click.argument("reference", metavar="REF")
@_format
@click.pass_context
def show(context: click.Context, reference: str, form: str) -> None:
    """Show all that is known of the secret at REF, but for its value."""
    policy = policy_in_force()
    target = place_of(reference, policy.vaults.others)
    entries = tuple(
        entry for entry in policy.access if any(each.place == target.place for each in entry.secrets.values())
    )
    with open_vaults(policy) as vaults:
        named = Named(SecretRef(target.source, target.path), entries)
        (found,) = standings(vaults, [named], _today(), dt.timedelta(days=_WITHIN_DAYS))
    if form == "json":
        click.echo(json.dumps({"version": 1, **_record(found)}, indent=2))
    else:
        for name, value in _record(found).items():
            text = ", ".join(part or "(one value)" for part in value) if isinstance(value, list) else str(value or "")
            click.echo(f"{name:12} {plain(text)}".rstrip())
    context.exit(_code([found]))


@click.command(
    epilog="""\b
    Examples:
      qguard vault status
      qguard vault status --within 14 --format json

    \b
    States: ok; expiring (within the days); overdue (its last day is over); missing (it, a field or a label);
    mismatched (for another environment than an entry that names it); unreachable (the vault does not say).
    Exit codes: 0 all is well, 1 something needs somebody, 4 nothing does but some vault does not say.
    """
)
@click.option(
    "--within",
    "days",
    type=click.IntRange(0, 3650),
    default=_WITHIN_DAYS,
    show_default=True,
    help="Days to look ahead.",
)
@_format
@click.pass_context
def status(context: click.Context, days: int, form: str) -> None:
    """Say of every secret that is stored, or that the policy names, whether notebooks can use it, and how long."""
    policy = policy_in_force()
    with open_vaults(policy) as vaults:
        found = standings(vaults, named_secrets(vaults, policy.access), _today(), dt.timedelta(days=days))
    if form == "json":
        secrets = [_record(each) for each in found]
        click.echo(json.dumps({"version": 1, "within_days": days, "secrets": secrets}, indent=2))
    else:
        print_table(
            ("reference", "state", "expires", "owner", "environment", "what to do"),
            [
                (r["reference"], r["state"], r["expires"], r["owner"], r["environment"], r["detail"])
                for r in map(_record, found)
            ],
            "Nothing is stored, and the policy names no secret.",
        )
    context.exit(_code(found))


def policy_in_force() -> Policy:
    """The policy of this machine; an invalid one ends the command with 3."""
    return load_policy(environ=os.environ, home=Path.home()).policy


@contextlib.contextmanager
def open_vaults(policy: Policy) -> Iterator[Vaults]:
    """The vaults as this user reaches them; what signing in brought is given back at the end."""
    refuse_inspection()
    vaults = Vaults(policy.vaults, os.environ, Path.home())
    try:
        yield vaults
    finally:
        vaults.close()


def place_of(text: str, others: Collection[str]) -> SecretRef:
    """The reference *text*, in which the field may be left out.

    Raises
    ------
    SecretRefError
        It is none.
    """
    try:
        return SecretRef.parse(text, others)
    except SecretRefError as error:
        with contextlib.suppress(SecretRefError):
            whole = SecretRef.parse(f"{text}#any", others)
            return SecretRef(whole.source, whole.path)
        raise error from None


def _today() -> dt.date:
    return dt.datetime.now(dt.timezone.utc).date()


def _entries(named: Named) -> list[str]:
    return [entry.name for entry in named.entries]


def _record(found: Standing) -> dict[str, Any]:
    labels = dict(found.labels or {})
    return {
        "reference": found.named.reference.place,
        "state": found.state.value,
        "detail": found.detail,
        "owner": labels.get("owner", ""),
        "purpose": labels.get("purpose", ""),
        "environment": labels.get("environment", ""),
        "expires": labels.get("expires", ""),
        "fields": list(found.fields),
        "version": found.version,
        "entries": _entries(found.named),
    }


def _code(found: Sequence[Standing]) -> int:
    states = {each.state for each in found}
    if states & {State.MISSING, State.OVERDUE, State.MISMATCHED, State.EXPIRING}:
        return _FINDINGS
    return _UNREADABLE if State.UNREACHABLE in states else 0
