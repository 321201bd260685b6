"""``qguard doctor``: how strongly kernels are confined on this machine, proved by trying."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jupyter_qguard.sandbox.examination import Examination


@click.command(
    epilog="""\b
    Examples:
      qguard doctor
      qguard doctor --format json
      QGUARD_TIER=netns qguard doctor        ask for the strongest tier alone
    Exit codes: 0 the tier meets the policy's minimum_tier, 1 it does not, 3 invalid policy.
    """
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
@click.option(
    "--workspace",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Folder that kernels would work in; without it the current one.",
)
def doctor(form: str, workspace: Path) -> int:
    """Prove how kernels are confined here: a program tries to get out of the sandbox, as at every kernel start."""
    # Imported here: `qguard doctor --help` needs neither gateway nor sandbox.
    from jupyter_qguard.sandbox.examination import examine  # noqa: PLC0415

    found = examine(workspace.resolve())
    if form == "json":
        checks = [{"id": check.id, "ok": check.ok, "detail": check.detail} for check in found.checks]
        report = {
            "tier": "none" if found.tier is None else found.tier.label,
            "enforced": list(found.enforced),
            "not_stopped": list(found.not_stopped),
            "checks": checks,
        }
        click.echo(json.dumps(report, indent=2))
    else:
        _print(found)
    return 0 if found.meets_minimum else 1


def _print(found: Examination) -> None:
    tier = "none" if found.tier is None else found.tier.label
    verdict = "kernels start" if found.meets_minimum else "no kernel starts"
    click.echo(f"Tier {tier}; the policy wants {found.minimum.label} at least: {verdict}.")
    if found.checks:
        click.echo("\nTried:")
    for check in found.checks:
        click.echo(f"  {'held  ' if check.ok else 'failed'}  {check.id:<24}  {check.detail}")
    click.echo("\nNot stopped:")
    for text in found.not_stopped:
        click.echo(f"  - {text}")
