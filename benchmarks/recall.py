"""Recall and exactness on the grid: ``python -m benchmarks.recall [--peers]``."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import click

from benchmarks.grid import SEED, Case, make_grid
from benchmarks.verdict import Verdict, judge
from jupyter_qguard.errors import QGuardError
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.finding import Finding


@dataclass(slots=True)
class Tally:
    """How many of how many."""

    total: int = 0
    hits: int = 0
    exact: int = 0
    stray: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one notebook."""
        self.total += 1
        self.hits += verdict.hit
        self.exact += verdict.exact
        self.stray += verdict.stray

    @property
    def recall(self) -> float:
        """Share of notebooks in which every secret was touched."""
        return self.hits / self.total if self.total else 0.0

    @property
    def exactness(self) -> float:
        """Share of notebooks in which every secret was named exactly."""
        return self.exact / self.total if self.total else 0.0

    def line(self, name: str) -> str:
        """A row of the report."""
        return f"{name:44} {self.hits:6}/{self.total:<6} {self.recall:7.4f} {self.exactness:7.4f} {self.stray:6}"


@dataclass(slots=True)
class Report:
    """Tallies by place, by vendor and in all; what nobody could tell apart is counted apart."""

    all: Tally = field(default_factory=Tally)
    hard: Tally = field(default_factory=Tally)
    places: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    groups: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    vendors: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    kinds: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def add(self, case: Case, verdict: Verdict) -> None:
        """Count one notebook."""
        if case.hard:
            self.hard.add(verdict)
            return
        self.all.add(verdict)
        self.places[case.place.name].add(verdict)
        self.groups[case.place.group].add(verdict)
        self.vendors[case.credential.vendor].add(verdict)
        self.kinds[case.credential.id].add(verdict)

    def text(self) -> str:
        """The whole report, worst first in each part."""
        rows = [f"{'':44} {'found':>13} {'recall':>7} {'exact':>7} {'stray':>6}"]
        rows += [self.all.line("ALL"), self.hard.line("hard (nobody could tell; not in ALL)")]
        parts = {"group": self.groups, "vendor": self.vendors, "credential": self.kinds, "place": self.places}
        for title, tallies in parts.items():
            rows.append(f"\nby {title}")
            worst = sorted(tallies.items(), key=lambda item: (item[1].recall, item[1].exactness, item[0]))
            rows += [tally.line(f"  {name}") for name, tally in worst]
        return "\n".join(rows)


def describe(case: Case, verdict: Verdict, findings: Iterable[Finding]) -> str:
    """One failure with all that is needed to understand it. The values are synthetic."""
    rows = [f"{'MISS' if not verdict.hit else 'SPAN'} {case.name}{'  (hard)' if case.hard else ''}"]
    for truth in case.occurrences:
        low, high = max(truth.spans[0][0] - 90, 0), truth.spans[-1][1] + 40
        rows.append(f"  want {truth.pointer} {list(truth.spans)}{' in key' if truth.in_key else ''}")
        rows.append(f"       {truth.text[low:high]!r}")
    rows += [f"  got  {f.rule_id} {f.pointer} {list(f.spans)}{' in key' if f.in_key else ''}" for f in findings]
    return "\n".join(rows)


def run(scanner: Scanner, cases: Iterable[Case], failures: Path) -> Report:
    """Scan every case; write failures, worst places first, to a file."""
    report = Report()
    failed: list[tuple[str, bool, str]] = []
    for case in cases:
        try:
            findings = scanner.scan_notebook(case.notebook).findings
        except QGuardError as error:
            failed.append((case.place.name, case.hard, f"REFUSED {case.name}: {error}"))
            report.add(case, Verdict(hit=False, exact=False, stray=0))
            continue
        verdict = judge(case, findings)
        report.add(case, verdict)
        if not (verdict.hit and verdict.exact) or verdict.stray:
            failed.append((case.place.name, case.hard, describe(case, verdict, findings)))
    write_failures(report, failed, failures)
    return report


def write_failures(report: Report, failed: list[tuple[str, bool, str]], path: Path, each: int = 4) -> None:
    """The report, then a few failures of every place, then of every credential that fails everywhere."""
    commit = subprocess.run(["git", "log", "-1", "--format=%h %s"], capture_output=True, text=True, check=False).stdout
    rows = [f"# Failures on the grid, at {commit}", "```", report.text(), "```", ""]
    by_place: dict[str, list[str]] = defaultdict(list)
    for place, hard, text in failed:
        by_place[f"{place} (hard)" if hard else place].append(text)
    for place, texts in sorted(by_place.items(), key=lambda item: ("(hard)" in item[0], -len(item[1]))):
        step = max(len(texts) // each, 1)
        rows += [f"## {place}: {len(texts)} failures", "```", *texts[::step][:each], "```", ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows), encoding="utf-8")


@click.command()
@click.option("--seed", default=SEED, show_default=True)
@click.option("--only", default="", help="Only places or credentials whose name contains this.")
@click.option("--step", default=1, show_default=True, help="Take every n-th notebook of the grid.")
@click.option(
    "--failures",
    default=Path("benchmarks/_work/recall_failures.md"),
    type=click.Path(path_type=Path),
    show_default=True,
)
@click.option("--peers", is_flag=True, help="Run the peers on the same notebooks.")
def main(seed: int, only: str, step: int, failures: Path, *, peers: bool) -> None:
    """Measure recall on the grid."""
    cases = [case for case in make_grid(seed) if only in case.name][::step]
    scanner = Scanner.load(ScanSettings(fingerprint_key=bytes(32)), announce=click.echo)
    started = perf_counter()
    report = run(scanner, cases, failures)
    click.echo(report.text())
    click.echo(f"\n{len(cases)} notebooks in {perf_counter() - started:.1f} s; failures in {failures}")
    if peers:
        from benchmarks.peers import compare  # noqa: PLC0415 - only with the peers installed

        compare(cases)


if __name__ == "__main__":
    main()
