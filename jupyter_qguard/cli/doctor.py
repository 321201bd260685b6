"""``qguard doctor``: how strongly kernels are confined on this machine, proved by trying."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyter_qguard.cli.output import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jupyter_qguard.sandbox.examination import Examination
    from jupyter_qguard.sandbox.requirements import Check

_NARROWEST = 30
"""Characters that a detail has at least, however narrow the terminal is."""


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
    """Prove how kernels are confined here: a program tries to get out of the sandbox, as at every kernel start.

    What the machine lacks is named, with what to do about it; `qguard setup` does it.
    """
    # Imported here: `qguard doctor --help` needs neither gateway nor sandbox.
    from jupyter_qguard.sandbox.examination import examine  # noqa: PLC0415

    found = examine(workspace.resolve())
    if form == "json":
        checks = [{"id": each.id, "ok": each.ok, "detail": each.detail} for each in (*found.machine, *found.checks)]
        report = {
            "tier": "none" if found.tier is None else found.tier.label,
            "enforced": list(found.enforced),
            "not_stopped": list(found.not_stopped),
            "checks": checks,
        }
        click.echo(json.dumps(report, indent=2))
    else:
        click.echo("\n".join(report_lines(found, shutil.get_terminal_size().columns)))
    return 0 if found.meets_minimum else 1


def report_lines(found: Examination, width: int) -> Iterator[str]:
    """What a person reads, in lines of *width* characters where words allow it."""
    tier = "none" if found.tier is None else found.tier.label
    verdict = "kernels start" if found.meets_minimum else "no kernel starts"
    yield from _wrapped(f"Tier {tier}; the policy wants {found.minimum.label} at least: {verdict}.", width)
    if found.machine:
        yield from ("", "This machine:")
        yield from _rows(found.machine, ("has", "lacks"), width)
    held = [check.id for check in found.checks if check.ok]
    failed = [check for check in found.checks if not check.ok]
    if held:
        yield from ("", f"Tried from inside, and held ({len(held)}):")
        yield from _wrapped(", ".join(held), width, "  ")
    if failed:
        yield from ("", "Failed:")
        yield from _rows(failed, ("", "failed"), width)
    yield from ("", "Not stopped:")
    for text in found.not_stopped:
        yield from _wrapped(text, width, "  - ")


def _rows(checks: Iterable[Check], words: tuple[str, str], width: int) -> Iterator[str]:
    """One row a check: a word for how it came out, its name, the detail; all below each other."""
    rows = [(words[0] if each.ok else words[1], each.id, each.detail) for each in checks]
    first, second = (max(len(row[at]) for row in rows) for at in (0, 1))
    for word, name, detail in rows:
        yield from _wrapped(detail, width, f"  {word:<{first}}  {name:<{second}}  ")


def _wrapped(text: str, width: int, before: str = "") -> list[str]:
    """*text* after *before*, its further lines below its first."""
    return textwrap.wrap(
        plain(text),
        max(width, len(before) + _NARROWEST),
        initial_indent=before,
        subsequent_indent=" " * len(before),
        break_long_words=False,
        break_on_hyphens=False,
    )
