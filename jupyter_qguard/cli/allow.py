"""``qguard allow``: let one kernel reach a host for a while, asked from outside of kernels."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from jupyter_qguard.errors import OutsideError
from jupyter_qguard.gateway.spool import AllowRequest, Spool
from jupyter_qguard.policy.allowance import parse_span
from jupyter_qguard.policy.destination import parse_destination

_PATIENCE = 10.0
"""Seconds for a gateway to answer; it looks twice a second."""
_LOOK = 0.05


class NobodyAnswersError(OutsideError):
    """No gateway serves the kernel."""

    code = "nobody_answers"


@click.command(
    epilog="""\b
    Examples:
      qguard allow pypi.example.org --kernel 1a2b3c4d --for 30m --reason "one package for the review"
      qguard allow https://data.example.org:8443 --kernel 1a2b3c4d --for 2h --reason "calibration data"
    Exit codes: 0 allowed, 1 not allowed, 2 usage, 4 no gateway serves that kernel.
    """
)
@click.argument("target", metavar="HOST|HOST:PORT|URL")
@click.option("--kernel", required=True, help="Id of the kernel, or its first 8 characters: `%qguard explain` says it.")
@click.option("--for", "span", default="1h", show_default=True, help="How long: 90s, 30m, 2h; at most 24h.")
@click.option("--reason", required=True, help="Why. It stands in the audit trail with your name.")
def allow(target: str, kernel: str, span: str, reason: str) -> int:
    """Let one kernel reach one host for a while, where the policy says nothing of that host.

    What the policy refuses by name stays refused, TLS and the rules for addresses hold, and an administrator's policy
    is never bent. It ends by itself, with the kernel, and with the server.
    """
    seconds = parse_span(span)
    parse_destination(target)
    if len(kernel) < 8 or not reason.strip():
        raise click.UsageError("give at least 8 characters of the kernel's id, and a reason")
    spool = Spool.of(os.environ, Path.home())
    name = spool.ask(
        AllowRequest(kernel=kernel, target=target, seconds=seconds, reason=reason.strip()[:400], asked=time.time())
    )
    end = time.monotonic() + _PATIENCE
    while not spool.answered(name) and time.monotonic() < end:
        time.sleep(_LOOK)
    answers = spool.take_back(name)
    if not answers:
        raise NobodyAnswersError(
            f"nothing is allowed: no gateway of yours serves a kernel {kernel}…. In a guarded kernel this command cannot "
            "work: run it in a terminal outside of kernels"
        )
    click.echo(f"qguard: {answers[0].text}", err=not answers[0].done)
    return 0 if answers[0].done else 1
