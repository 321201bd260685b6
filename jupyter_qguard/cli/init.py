"""``qguard init``: writes a starter policy."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.cli.output import write_whole
from jupyter_qguard.errors import UsageError
from jupyter_qguard.policy import parse_policy

_ENVIRONMENTS = ("dev", "test", "prod")
_VAULTS = ("local", "keyring", "openbao", "vault", "aws")
_REFERENCES = {
    "local": "local://{vendor}",
    "keyring": "keyring://qguard/{vendor}",
    "openbao": "openbao://quantum/{environment}/{vendor}#api_key",
    "vault": "vault://quantum/{environment}/{vendor}#api_key",
    "aws": "aws://quantum/{environment}/{vendor}#api_key",
}
_VALID = dt.timedelta(days=180)
"""How long the entries of a starter policy hold."""


@click.command(
    epilog="""\b
    Examples:
      qguard init
      qguard init --vendor ibm_quantum --vendor ionq --environment dev --vault keyring
      qguard init --vendor iqm -o policy.yaml --force
    """
)
@click.option("--vendor", "vendors", multiple=True, help="Vendor id of the catalogue; can be repeated.")
@click.option("--environment", type=click.Choice(_ENVIRONMENTS), help="What the keys are for.")
@click.option("--vault", type=click.Choice(_VAULTS), help="Where the keys are kept.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write.")
@click.option("--force", is_flag=True, help="Replace a policy that is there.")
def init(
    vendors: tuple[str, ...], environment: str | None, vault: str | None, output: Path | None, *, force: bool
) -> None:
    """Write a starter policy that you can edit. Asks for what is not given, if a terminal is there."""
    path = output or _default_path()
    if path.exists() and not force:
        message = f"{path} is there already. Edit it, or give --force to replace it."
        raise UsageError(message)
    chosen = _known(vendors or _ask_vendors())
    environment = environment or _ask("Environment of the keys", _ENVIRONMENTS, "dev")
    vault = vault or _ask("Where the keys are kept", _VAULTS, "local")
    text = starter(chosen, environment, vault, index_hosts(), dt.datetime.now(tz=dt.timezone.utc).date() + _VALID)
    parse_policy(text, str(path))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)
    write_whole(path, text.encode())
    path.chmod(0o600)
    click.echo(f"Wrote {path}. Check it with: qguard policy check {path}")
    if output is None:
        click.echo(
            "From the next start of the Jupyter server its kernels run in a sandbox: keys in variables and files are out\n"
            "of their sight, and their connections are recorded. To undo that, remove the file, or set\n"
            "c.QGuardApp.guard_kernels = False. What this machine gives: qguard doctor"
        )


def starter(vendors: tuple[str, ...], environment: str, vault: str, hosts: tuple[str, ...], expires: dt.date) -> str:
    """The text of a starter policy."""
    lines = [
        "# Policy of jupyter-qguard: what a save, a kernel and a lease may do. docs/reference/policy.md explains each key.",
        "apiVersion: qguard/v1",
        "",
        "# On save: block, redact or warn, by where a secret stands.",
        "scan: {mode: enforce, source: block, output: redact, metadata: redact, text_files: block}",
        "",
        "# Data that is no credential is only labelled until it is named here.",
        "# classify: {calibration_snapshot: confidential, account_identifier: internal}",
        "",
        "# Where kernels may connect. The vendors below bring their own hosts.",
        "egress:",
        "  mode: observe",
    ]
    if hosts:
        lines += ["  allow:"]
        lines += [f"    - {{host: {host}, owner: me, reason: package index, expires: {expires}}}" for host in hosts]
    if vendors:
        lines += ["", "# Who may use which key, for what, until when.", "access:"]
    for vendor in vendors:
        reference = _REFERENCES[vault].format(vendor=vendor, environment=environment)
        lines += [
            f"  - name: {vendor}/{environment}",
            f"    vendor: {vendor}",
            f'    secret: "{reference}"',
            f"    environment: {environment}",
            "    owner: me",
            "    purpose: to be filled in",
            f"    expires: {expires}",
            "    operations: [inspect, submit, read_results]",
        ]
    return "\n".join(lines) + "\n"


def index_hosts() -> tuple[str, ...]:
    """Hosts of the package indexes that this environment's pip is set to use; nothing is assumed."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)  # noqa: S603 - no shell
        listed = done.stdout
    except (OSError, subprocess.TimeoutExpired):
        listed = ""
    urls = re.findall(r"https://[^\s'\"]+", listed + " " + os.environ.get("PIP_INDEX_URL", ""))
    hosts = {urlsplit(url).hostname for url in urls}
    return tuple(sorted(host for host in hosts if host and "." in host and not _is_address(host)))


def _is_address(host: str) -> bool:
    """An entry for an address needs more than can be asked here: it must say which addresses it means."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _known(vendors: tuple[str, ...]) -> tuple[str, ...]:
    catalogue = load_catalog().vendors
    unknown = [vendor for vendor in vendors if vendor not in catalogue]
    if unknown:
        message = f"no vendor is called {', '.join(unknown)}. The catalogue has: {', '.join(sorted(catalogue))}"
        raise UsageError(message)
    return tuple(dict.fromkeys(vendors))


def _ask_vendors() -> tuple[str, ...]:
    if not sys.stdin.isatty():
        return ()
    click.echo("Vendors: " + ", ".join(sorted(load_catalog().vendors)))
    answer: str = click.prompt("Which do you use (ids, apart by commas)", default="ibm_quantum")
    return tuple(part.strip() for part in answer.split(",") if part.strip())


def _ask(question: str, choices: tuple[str, ...], default: str) -> str:
    if not sys.stdin.isatty():
        return default
    answer: str = click.prompt(question, type=click.Choice(choices), default=default)
    return answer


def _default_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".config"
    return root / "jupyter-qguard" / "policy.yaml"
