"""``python -m examples.demo``: plays the scenes and ends with a table; the exit code is 1 if a promise did not hold."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from examples.demo import broker_scenes, kernel_scenes, scenes
from examples.demo.company import company
from examples.demo.keys import ibm_key
from examples.demo.server import Place, jupyter_server
from examples.demo.stage import Check, Stage, summary

_FLOOR = Path("/etc/jupyter-qguard/policy.yaml")


def main() -> int:
    """Play all scenes."""
    started = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(
        "[bold]jupyter-qguard[/bold]: saves and kernels under guard, all on this machine's loopback interface"
    )
    console.print("Keys are made up for this run; everything it writes is in one temporary folder.", style="dim")
    if _FLOOR.exists():
        console.print(
            f"{_FLOOR} is in force here: what it says may differ from what these scenes expect.", style="yellow"
        )
    with tempfile.TemporaryDirectory(prefix="qguard-demo-") as folder:
        checks = _play(Place(Path(folder)).make(), console)
    console.print()
    console.print(summary(checks))
    failed = sum(not check.held for check in checks)
    console.print(f"{len(checks) - failed} passed, {failed} failed", highlight=False)
    console.print(f"in {time.monotonic() - started:.0f} s", style="dim", highlight=False)
    return 1 if failed else 0


def _play(place: Place, console: Console) -> list[Check]:
    stage = Stage(place, console)
    scenes.without_guard(stage)
    began = time.monotonic()
    with jupyter_server(place, guarded=True) as client:
        stage.server = client
        console.print(f"guarded server ready after {time.monotonic() - began:.1f} s", style="dim", highlight=False)
        scenes.blocked(stage)
        scenes.redacted(stage)
        scenes.uploaded(stage)
        key = scenes.overridden(stage)
        scenes.audited(stage, key)
        scenes.exported(stage, key)
        scenes.scanned(stage, key)
    with company(place.folder / "company", ibm_key()) as network:
        broker_scenes.stored(stage, network)
        kernel_scenes.kernels(stage, network)
        broker_scenes.lent(stage, network)
    return stage.checks


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
