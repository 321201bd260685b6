"""All measurements in one run: ``python -m benchmarks [--notebooks FOLDER] [--cases FOLDER]``.

Folders that are not given are left out, as are peers that are not installed (``python -m benchmarks.peers``).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click


@click.command()
@click.option("--notebooks", envvar="QGUARD_NOTEBOOKS", help="Folder of real public notebooks, at least 1000.")
@click.option("--cases", envvar="QGUARD_CASES", help="Folder of other projects' cases.")
@click.option("--peers/--no-peers", default=True, show_default=True)
@click.option("--step", default=1, show_default=True, help="Take every n-th notebook of the grid.")
def main(notebooks: str | None, cases: str | None, step: int, *, peers: bool) -> None:
    """Run all measurements, one after the other; a failure of one does not stop the rest."""
    plan: list[list[str]] = [
        ["recall", "--step", str(step), *(["--peers"] if peers else [])],
        ["roundtrip", "--step", str(step)],
    ]
    plan += [["others_cases", cases]] if cases else []
    plan += [["false_findings", notebooks], ["speed", notebooks]] if notebooks else []
    parts = ("saves", "audit", "egress", "kernel_start")
    plan += [[name] for name in parts if Path(__file__).with_name(f"{name}.py").exists()]
    failed = []
    for name, *arguments in plan:
        click.echo(f"\n== {name}")
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        click.echo(f"\nfailed: {', '.join(failed)}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
