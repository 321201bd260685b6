"""``python -m tests.fuzz``: the long run."""

from __future__ import annotations

import multiprocessing
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

import click

from tests.fuzz.giants import GIANTS
from tests.fuzz.run import BATCH, load_guard, run_batch


@click.command()
@click.option("--count", default=100_000, show_default=True)
@click.option("--first", default=0, show_default=True, help="Number of the first input; a number repeats its input.")
@click.option("--workers", default=2, show_default=True)
@click.option("--giants/--no-giants", default=True, show_default=True)
def main(count: int, first: int, workers: int, *, giants: bool) -> None:
    """Run COUNT inputs and the giant ones; the exit code is 1 if any property is violated."""
    started = perf_counter()
    violations: list[str] = []
    counts: Counter[str] = Counter()
    slowest = 0.0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for outcome in pool.map(run_batch, range(first, first + count, BATCH)):
            counts += outcome.counts
            slowest = max(slowest, outcome.slowest)
            for violation in outcome.violations:
                violations.append(violation)
                click.echo(ascii(violation[:2000]))
    for name, check in GIANTS.items() if giants else ():
        began = perf_counter()
        problem = check(load_guard())
        click.echo(f"{name}: {problem or 'ok'} ({perf_counter() - began:.1f} s)")
        violations += [problem] if problem else []
    click.echo(
        f"{sum(counts.values())} inputs in {perf_counter() - started:.0f} s, slowest {slowest:.2f} s: {dict(counts)}"
    )
    click.echo(f"{len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
