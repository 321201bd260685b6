"""False findings on real public notebooks: ``python -m benchmarks.false_findings FOLDER``.

Counts credentials only: what the policy merely classifies is no finding. Every finding is listed, masked, for a person
to judge; a true leak in a public notebook is no false finding, and is counted apart by listing its notebook's path
and pointer in a file given with ``--true``.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import IO, Any

import click

from jupyter_qguard.errors import QGuardError
from jupyter_qguard.scan import Classification, Finding, Scanner, ScanSettings


@dataclass(frozen=True, slots=True)
class Listed:
    """A finding in a public notebook."""

    path: str
    finding: Finding

    @property
    def place(self) -> str:
        """Path and pointer, as a file of true leaks lists them."""
        return f"{self.path}#{self.finding.pointer}"


def notebooks(folder: Path) -> Iterator[Path]:
    """Every notebook below a folder, checkpoints left out."""
    return (
        path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts and path.is_file()
    )


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval, by bisection of the tail sums."""
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _root(lambda p: 1 - _cumulative(count - 1, total, p) - tail)
    high = 1.0 if count == total else _root(lambda p: tail - _cumulative(count, total, p))
    return low, high


def _root(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _cumulative(count: int, total: int, p: float) -> float:
    """P(X <= count) of a binomial."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return float(count >= total)
    logs = (
        math.lgamma(total + 1)
        - math.lgamma(k + 1)
        - math.lgamma(total - k + 1)
        + k * math.log(p)
        + (total - k) * math.log1p(-p)
        for k in range(count + 1)
    )
    return min(sum(map(math.exp, logs)), 1.0)


def credentials(scanner: Scanner, path: Path) -> list[Finding]:
    """The credentials found in one notebook."""
    result = scanner.scan_bytes(path.read_bytes(), path.name)
    return [finding for finding in result.findings if finding.classification is Classification.RESTRICTED]


def around(path: Path, finding: Finding, reach: int = 80) -> str:
    """What stands around a finding, to judge it by."""
    node: Any = json.loads(path.read_bytes())
    for step in finding.pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node.get(key, "")
    text = "".join(node) if isinstance(node, list) else str(node)
    start, end = finding.spans[0][0], finding.spans[-1][1]
    return repr(text[max(start - reach, 0) : start] + "«" + text[start:end] + "»" + text[end : end + reach // 2])


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--true", "leaks", type=click.File(), help="Lines PATH#POINTER of findings that are real leaks.")
@click.option("--show", is_flag=True, help="Show the values and what stands around them, to judge by.")
def main(folder: Path, leaks: IO[str] | None, *, show: bool) -> None:
    """Count findings in the notebooks of FOLDER."""
    known = set(leaks.read().split("\n")) if leaks else set()
    scanner = Scanner.load(ScanSettings(fingerprint_key=bytes(32)), announce=click.echo)
    started, listed, unread, size, count = perf_counter(), [], 0, 0, 0
    for path in notebooks(folder):
        name = path.relative_to(folder).as_posix()
        try:
            listed += [Listed(name, finding) for finding in credentials(scanner, path)]
        except QGuardError as error:
            unread += 1
            click.echo(f"unreadable: {name}: {error}", err=True)
            continue
        count += 1
        size += path.stat().st_size
    for item in listed:
        mark = "TRUE " if item.place in known else ""
        finding = item.finding
        click.echo(
            f"{mark}{finding.rule_id} {finding.confidence.label} {item.place} {list(finding.spans)} {finding.preview}"
        )
        if show:
            click.echo("    " + around(folder / item.path, finding))
    false = [item for item in listed if item.place not in known]
    low, high = clopper_pearson(len({item.path for item in false}), count)
    click.echo(f"\n{count} notebooks, {size / 1e6:.0f} MB, {perf_counter() - started:.1f} s, {unread} unreadable")
    click.echo(
        f"{len(listed)} findings, {len(listed) - len(false)} true leaks, {len(false)} false in "
        f"{len({item.path for item in false})} notebooks"
    )
    click.echo(f"notebooks with a false finding, per 1000: 95 % interval {1000 * low:.2f} to {1000 * high:.2f}")
    click.echo(str(Counter(item.finding.rule_id for item in false).most_common()))


if __name__ == "__main__":
    main()
