"""``qguard policy test``: does the policy decide what it is meant to decide?"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyter_qguard.errors import InputError
from jupyter_qguard.policy import load_policy
from jupyter_qguard.policy.expectation import Expectations
from jupyter_qguard.policy.lookup import load_policy_file
from jupyter_qguard.policy.model import Mode

if TYPE_CHECKING:
    from jupyter_qguard.policy.expectation import Outcome

_UNMET = 1


@click.command(
    epilog="""\b
    Examples:
      qguard policy test expectations.yaml
      qguard policy test --policy deploy/policy.yaml deploy/expectations.yaml

    \b
    A file of expectations:
      apiVersion: qguard/v1
      connections:
        - {to: "https://quantum.cloud.ibm.com", user: ada, expect: allow}
        - {to: pastebin.com, expect: refuse, because: a way out}
      saves:
        - {path: vqe.ipynb, finding: ionq-api-key, expect: block}
    """
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), help="Test this file, not what is in force here."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def test(context: click.Context, file: Path, policy_file: Path | None, form: str) -> None:
    """Hold the policy against the expectations in FILE. Ends with 0 if all hold, with 1 if one does not.

    What counts is what mode enforce does, whichever mode the policy is in. A host's addresses are not looked up.
    """
    loaded = load_policy_file(policy_file) if policy_file else load_policy(environ=os.environ, home=Path.home())
    outcomes = list(_read(file).check(loaded.policy, dt.datetime.now(dt.timezone.utc).date()))
    unmet = [each for each in outcomes if not each.holds]
    if form == "json":
        click.echo(json.dumps({"version": 1, "ok": not unmet, "outcomes": [_as_json(each) for each in outcomes]}))
    else:
        for each in outcomes:
            click.echo(_line(each))
        if Mode.OBSERVE in (loaded.policy.egress.mode, loaded.policy.scan.mode):
            click.echo("note: the policy only observes in part: what was tested is what it does once it enforces")
        click.echo(f"{len(outcomes) - len(unmet)} of {len(outcomes)} hold")
    context.exit(_UNMET if unmet else 0)


def _read(file: Path) -> Expectations:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        message = f"{file}: {error.strerror or 'cannot be read'}"
        raise InputError(message) from None
    except UnicodeDecodeError:
        message = f"{file}: not UTF-8 text"
        raise InputError(message) from None
    return Expectations(text, str(file))


def _line(each: Outcome) -> str:
    if each.holds:
        return f"ok    {each.what}: {each.decided}"
    because = f" It must be so because: {each.because}." if each.because else ""
    return (
        f"FAIL  {each.where}: {each.what}: expected {each.expected}, the policy says {each.decided}: "
        f"{each.reason.rstrip('.')}.{because}"
    )


def _as_json(each: Outcome) -> dict[str, str | bool]:
    return {
        "where": each.where,
        "what": each.what,
        "expected": each.expected,
        "decided": each.decided,
        "reason": each.reason,
        "ok": each.holds,
    }
