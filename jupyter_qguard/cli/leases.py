"""``qguard leases``: what is lent to kernels now, and the end of it, asked from outside of kernels."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from jupyter_qguard.cli.table import print_table
from jupyter_qguard.errors import OutsideError
from jupyter_qguard.gateway.spool import LeasesRequest, Spool

if TYPE_CHECKING:
    from jupyter_qguard.gateway.spool import LeaseShown

_PATIENCE = 10.0
"""Seconds for a first gateway to answer; each looks twice a second."""
_OTHERS = 1.5
"""Seconds after that for the gateways of other servers."""
_LOOK = 0.05


class NoGatewayError(OutsideError):
    """No gateway of this user is running."""

    code = "no_gateway"


@click.group(
    epilog="""\b
    Examples:
      qguard leases list
      qguard leases revoke ibm/prod --reason "the key was rotated"
    """
)
def leases() -> None:
    """Show what is lent to kernels of yours, and end it."""


@leases.command(
    "list",
    epilog="""\b
    Examples:
      qguard leases list
      qguard leases list --format json
    Exit codes: 0 fine, 4 no gateway of yours is running.
    """,
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
def list_(form: str) -> None:
    """Show what is lent now: lease, access entry, kernel, until when."""
    found = _ask(LeasesRequest(asked=time.time()))
    if form == "json":
        click.echo(json.dumps({"version": 1, "leases": [msgspec.to_builtins(each) for each in found]}, indent=2))
        return
    print_table(
        ("lease", "access entry", "environment", "custody", "kernel", "notebook", "until"),
        [(e.lease, e.access, e.environment, e.custody, e.kernel, e.notebook, e.until) for e in found],
        "Nothing is lent.",
    )


@leases.command(
    epilog="""\b
    Examples:
      qguard leases revoke ibm/prod --reason "the key was rotated"
      qguard leases revoke 1a2b3c4d --reason "left running over night"
      qguard leases revoke --all --reason "incident 12"

    \b
    It does not change the key or the policy: a kernel that may can ask anew. To stop that, end the entry in the policy.
    Exit codes: 0 ended, 1 nothing of that is lent, 2 usage, 4 no gateway of yours is running.
    """
)
@click.argument("which", metavar="[ENTRY|LEASE|KERNEL]", default="")
@click.option("--all", "everything", is_flag=True, help="All that is lent.")
@click.option("--reason", required=True, help="Why. It stands in the audit trail.")
def revoke(which: str, reason: str, *, everything: bool) -> int:
    """End what is lent under an access entry, a lease or to a kernel; requests under way are broken off.

    A lease or kernel is named by its id or the first 8 characters.
    """
    if bool(which) == everything:
        raise click.UsageError("name an access entry, a lease or a kernel, or give --all")
    if not reason.strip():
        raise click.UsageError("give a reason")
    found = _ask(LeasesRequest(which=which, revoke=reason.strip()[:400], asked=time.time()))
    for each in found:
        click.echo(f"{each.lease}: {each.access}, lent to kernel {each.kernel}, is ended")
    if not found:
        click.echo("Nothing of that is lent.", err=True)
    return 0 if found else 1


def _ask(request: LeasesRequest) -> list[LeaseShown]:
    spool = Spool.of(os.environ, Path.home())
    name = spool.ask(request)
    end = time.monotonic() + _PATIENCE
    while not spool.answered(name) and time.monotonic() < end:
        time.sleep(_LOOK)
    if spool.answered(name):
        time.sleep(_OTHERS)
    answers = spool.take_back(name)
    if not answers:
        raise NoGatewayError(
            "no gateway of yours is running, so nothing is lent. In a guarded kernel this command cannot work: run it in a "
            "terminal outside of kernels"
        )
    return sorted((lease for answer in answers for lease in answer.leases), key=lambda each: each.until)
