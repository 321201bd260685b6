"""``qguard policy``: is the policy valid, what does it mean here, what may stand in it."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyter_qguard.cli.policy_expectations import test
from jupyter_qguard.cli.policy_suggestions import suggest
from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy import InvalidPolicyError, LoadedPolicy, PolicySource, load_policy
from jupyter_qguard.policy.destination import is_destination
from jupyter_qguard.policy.explain import explain_egress, explain_policy, explain_save, notes
from jupyter_qguard.policy.loaded import Origin
from jupyter_qguard.policy.lookup import load_policy_file
from jupyter_qguard.policy.schema import schema_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_qguard.policy.explain import Statement

_ORIGINS = {Origin.FLOOR: "administrator's", Origin.USER: "yours", Origin.BUILT_IN: "built in"}
_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)


@click.group(
    epilog="""\b
    The policy is the first of these files that exists:
      /etc/jupyter-qguard/policy.yaml         the administrator's; yours may only be stricter
      $QGUARD_POLICY
      ~/.config/jupyter-qguard/policy.yaml    write a first one with `qguard init`
    Without any of them a built-in one applies: saves are guarded, connections are only observed.

    \b
    Examples:
      qguard policy check
      qguard policy explain notebooks/vqe.ipynb
      qguard policy test deploy/expectations.yaml
    """
)
def policy() -> None:
    """Check, explain, test and describe the policy file."""


@policy.command(
    epilog="""\b
    Examples:
      qguard policy check
      qguard policy check deploy/policy.yaml
      qguard policy check --format json deploy/policy.yaml
    """
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@_format
@click.pass_context
def check(context: click.Context, file: Path | None, form: str) -> None:
    """Say whether a policy is valid: FILE, or what is in force here.

    Every mistake is told with its file, line and key, and what is allowed there. Ends with 0 if the policy is valid,
    with 3 if it is not.
    """
    try:
        loaded = load_policy_file(file) if file else load_policy(environ=os.environ, home=Path.home())
    except PolicyError as error:
        _print_invalid(error, form)
        context.exit(PolicyError.exit_code)
    distrusted = loaded.strictest
    remarks = notes(loaded.policy, _today())
    if form == "json":
        _print_json(loaded, ok=not distrusted, notes=[{"key": each.key, "message": each.text} for each in remarks])
    else:
        for source in loaded.sources:
            name = source.name if file else _described(source)
            click.echo(f"{'in force' if distrusted else 'valid'}: {name}")
        _print_notices(loaded)
        for each in remarks:
            click.echo(f"note: {each.key}: {each.text}")
    context.exit(PolicyError.exit_code if distrusted else 0)


@policy.command(
    epilog="""\b
    Examples:
      qguard policy explain
      qguard policy explain notebooks/vqe.ipynb
      qguard policy explain notebooks/vqe.ipynb --finding calibration_snapshot
      qguard policy explain https://quantum.cloud.ibm.com
    """
)
@click.argument("path", metavar="[PATH|URL|HOST]", required=False)
@click.option("--finding", "kind", metavar="KIND", help="A rule id, as `qguard scan` prints it, or a `classify` name.")
@_format
def explain(path: str | None, kind: str | None, form: str) -> None:
    """Say in words what the policy does here, and which file says so.

    With PATH: what happens when that file is saved with a secret in it. PATH is taken as the server sees it and need
    not exist. With a URL, a host or host:port in its place: what becomes of a kernel's connection to it, and which
    line of which file decides that.
    """
    loaded = load_policy(environ=os.environ, home=Path.home())
    today = _today()
    if path is None and kind is None:
        statements = explain_policy(loaded.policy, today)
    elif path is not None and kind is None and is_destination(path):
        statements = explain_egress(loaded.policy, path, today)
    else:
        statements = explain_save(loaded.policy, path, kind, today)
    if form == "json":
        _print_json(loaded, statements=[{"key": each.key, "message": each.text} for each in statements])
        return
    for source in loaded.sources:
        click.echo(f"From {_described(source)}:")
    _print_notices(loaded)
    _print_statements(statements)


@policy.command(
    epilog="""\b
    Example:
      qguard policy schema > policy.schema.json
    """
)
def schema() -> None:
    """Print the JSON Schema of the policy file.

    Editors use it to complete and check what you type. To do so, begin your policy with a line such as
    `# yaml-language-server: $schema=policy.schema.json`.
    """
    click.echo(schema_text(), nl=False)


policy.add_command(test)
policy.add_command(suggest)


def _today() -> dt.date:
    return dt.datetime.now(dt.timezone.utc).date()


def _described(source: PolicySource) -> str:
    if source.origin is Origin.BUILT_IN:
        return f"the {source.name} policy ({_ORIGINS[source.origin]})"
    return f"{source.name} ({_ORIGINS[source.origin]})"


def _print_notices(loaded: LoadedPolicy) -> None:
    for notice in loaded.notices:
        click.echo(f"notice: {notice}", err=True)


def _print_statements(statements: Sequence[Statement]) -> None:
    for each in statements:
        click.echo(f"  {each.key}\n      {each.text}")


def _print_invalid(error: PolicyError, form: str) -> None:
    if form == "text":
        click.echo(str(error), err=True)
        return
    problems: list[dict[str, Any]] = [{"file": "", "line": 0, "key": "", "message": str(error)}]
    if isinstance(error, InvalidPolicyError):
        problems = [
            {"file": error.source, "line": each.line, "key": each.key, "message": each.text} for each in error.problems
        ]
    click.echo(json.dumps({"version": 1, "ok": False, "problems": problems}, indent=2))


def _print_json(loaded: LoadedPolicy, **more: Any) -> None:
    sources = [{"origin": each.origin.value, "name": each.name, "sha256": each.digest} for each in loaded.sources]
    click.echo(json.dumps({"version": 1, "sources": sources, "notices": loaded.notices, **more}, indent=2))
