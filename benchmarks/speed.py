"""Speed of ``qguard scan`` beside the peers' command lines: ``python -m benchmarks.speed FOLDER``.

Each command runs in turn, round after round, over the same folder in the same run: the ratios mean something on a noisy
machine, the seconds do not. Scanners that are slow by design get every n-th notebook, and are compared by MB/s.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import click

from benchmarks.false_findings import notebooks
from benchmarks.peers import commands

SLOW = ("detect-secrets", "credsweeper")
OURS = "qguard scan"
_TIME_LIMIT = 1800


@dataclass(slots=True)
class Timing:
    """Runs of one command."""

    size: int
    """Bytes it reads."""
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """MB/s."""
        return self.size / 1e6 / self.median


def qguard() -> list[str]:
    """The installed command, or the package's."""
    script = Path(sys.executable).with_name("qguard")
    if script.exists():
        return [str(script)]
    return [sys.executable, "-c", "from jupyter_qguard.cli import main; main()"]


def timed(command: list[str], environment: Mapping[str, str] | None = None) -> float:
    """Seconds from start to end of a process. A scanner's exit code for findings is no failure; a crash is."""
    started = perf_counter()
    done = subprocess.run(
        command, capture_output=True, check=False, timeout=_TIME_LIMIT, env={**os.environ, **(environment or {})}
    )
    seconds = perf_counter() - started
    if done.returncode in {2, 70, 126, 127} or done.returncode < 0:
        message = f"{command[0]} ended with {done.returncode}: {done.stderr[-400:].decode(errors='replace')}"
        raise click.ClickException(message)
    return seconds


def copy_sample(paths: list[Path], root: Path, target: Path, step: int) -> int:
    """Copy every n-th notebook; gives the bytes."""
    size = 0
    for path in paths[::step]:
        place = target / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        size += path.stat().st_size
    return size


def folder_runs(folder: Path, rounds: int, slow_step: int) -> dict[str, Timing]:
    """Time every command over a folder of notebooks, in turn."""
    paths = list(notebooks(folder))
    with tempfile.TemporaryDirectory() as temporary:
        whole, part, report = Path(temporary, "whole"), Path(temporary, "part"), Path(temporary, "report")
        sizes = {whole: copy_sample(paths, folder, whole, 1), part: copy_sample(paths, folder, part, slow_step)}
        plan = {OURS: (whole, [*qguard(), "scan", str(whole), "--format", "json"])}
        plan |= {name: (part if name in SLOW else whole, []) for name in commands(whole, report)}
        plan = {name: (place, line or commands(place, report)[name]) for name, (place, line) in plan.items()}
        timings = {name: Timing(sizes[place]) for name, (place, _) in plan.items()}
        timed([*qguard(), "scan", str(next(iter(whole.rglob("*.ipynb"))))])  # the rules are compiled once, before
        for number in range(rounds):
            for name, (_, line) in plan.items():
                if number == 0 or name not in SLOW:
                    timings[name].seconds.append(timed(line))
    return timings


def single_runs(path: Path, rounds: int) -> dict[str, Timing]:
    """Time every command on one notebook, from process start to result."""
    with tempfile.TemporaryDirectory() as temporary:
        copy, report = Path(temporary, "one", path.name), Path(temporary, "report")
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
        plan = {OURS: [*qguard(), "scan", str(copy), "--format", "json"]} | commands(copy.parent, report)
        timings = {name: Timing(path.stat().st_size) for name in plan}
        for _ in range(rounds):
            for name, line in plan.items():
                timings[name].seconds.append(timed(line))
    return timings


def cold_run(path: Path) -> float:
    """Seconds of the very first scan on a machine: the rules are compiled and cached."""
    with tempfile.TemporaryDirectory() as home:
        return timed([*qguard(), "scan", str(path)], {"HOME": home, "XDG_CACHE_HOME": f"{home}/.cache"})


def table(title: str, timings: Mapping[str, Timing]) -> str:
    """Median seconds, MB/s, and how many times faster ours is."""
    ours = timings[OURS]
    rows = [f"\n{title}", f"{'':16} {'MB':>7} {'seconds':>9} {'MB/s':>8} {'ours is faster':>15}"]
    for name, timing in timings.items():
        ratio = "" if name == OURS else f"{ours.rate / timing.rate:13.2f} x"
        rows.append(f"{name:16} {timing.size / 1e6:7.1f} {timing.median:9.2f} {timing.rate:8.1f} {ratio:>15}")
    return "\n".join(rows)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", default=3, show_default=True)
@click.option(
    "--slow-step", default=20, show_default=True, help="detect-secrets and CredSweeper get every n-th notebook."
)
def main(folder: Path, rounds: int, slow_step: int) -> None:
    """Compare speed over FOLDER."""
    click.echo(table(f"folder, median of {rounds} rounds in turn", folder_runs(folder, rounds, slow_step)))
    near = min(notebooks(folder), key=lambda path: abs(path.stat().st_size - 1_000_000))
    click.echo(table(f"one notebook ({near.name}), process start to result", single_runs(near, max(rounds, 3))))
    click.echo(f"\nfirst scan on a machine, rules compiled: {cold_run(near):.2f} s")


if __name__ == "__main__":
    main()
