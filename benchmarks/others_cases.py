"""Other projects' test cases: ``python -m benchmarks.others_cases FOLDER``.

FOLDER holds files of JSON lines ``{"id", "kind": "positive" | "negative", "text", "rule"}``. An engine finds a case if it
reports anything in the text. A *negative* case is one in which the upstream rule must not fire: the text may hold another
secret, so the rate on negatives says how eager an engine is, not how wrong.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from benchmarks.peers import betterleaks_python, binaries
from jupyter_qguard.scan import Scanner, ScanSettings

_BETTERLEAKS = """
import json, sys, betterleaks
print(json.dumps([bool(betterleaks.scan_string(json.loads(line))) for line in sys.stdin]))
"""


class Case(msgspec.Struct, frozen=True):
    """One text of another project's tests."""

    id: str
    kind: str
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the positive and of the negative cases in which an engine found something."""

    recall: float
    negatives: float
    missed: dict[str, int]
    """Positive cases missed, by upstream rule."""


Engine = Callable[[list[Case]], list[bool]]


def ours(cases: list[Case]) -> list[bool]:
    """Which cases this project's scanner finds."""
    scanner = Scanner.load(ScanSettings(fingerprint_key=bytes(32)), announce=click.echo)
    return [bool(scanner.scan_text(case.text).findings) for case in cases]


def gitleaks(cases: list[Case]) -> list[bool]:
    """Which cases gitleaks finds: one file a case, one run."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, report = Path(temporary, "cases"), Path(temporary, "report.json")
        folder.mkdir()
        for number, case in enumerate(cases):
            (folder / f"{number}.txt").write_bytes(case.text.encode("utf-8", "surrogatepass"))
        command = [str(binaries() / "gitleaks"), "dir", str(folder), "--no-banner", "-f", "json", "-r", str(report)]
        subprocess.run(command, capture_output=True, check=False, timeout=1800)
        found = {int(Path(row["File"]).stem) for row in json.loads(report.read_text(encoding="utf-8"))}
    return [number in found for number in range(len(cases))]


def betterleaks(cases: list[Case]) -> list[bool]:
    """Which cases betterleaks finds, through its Python binding in the peers' environment."""
    lines = "".join(json.dumps(case.text) + "\n" for case in cases)
    command = [str(betterleaks_python()), "-c", _BETTERLEAKS]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=1800)
    found: list[bool] = json.loads(done.stdout.splitlines()[-1])
    return found


def score(cases: list[Case], found: list[bool]) -> Score:
    """Rates of one engine on one file."""
    by_kind: dict[str, list[bool]] = defaultdict(list)
    missed: dict[str, int] = defaultdict(int)
    for case, hit in zip(cases, found, strict=True):
        by_kind[case.kind].append(hit)
        if case.kind == "positive" and not hit:
            missed[case.rule] += 1
    rates = {kind: sum(hits) / len(hits) for kind, hits in by_kind.items()}
    return Score(rates.get("positive", 0.0), rates.get("negative", 0.0), dict(missed))


def engines() -> dict[str, Engine]:
    """The engines that are installed."""
    known: dict[str, Engine] = {"ours": ours}
    if (binaries() / "gitleaks").exists():
        known["gitleaks"] = gitleaks
    if betterleaks_python().exists():
        known["betterleaks"] = betterleaks
    return known


def bar(name: str, scores: dict[str, Score]) -> float:
    """What our recall must reach on a file: the better of the peers whose own file it is not."""
    return max((s.recall for engine, s in scores.items() if engine not in ("ours", name)), default=0.0)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--misses", type=click.Path(path_type=Path), help="Write here what each engine misses, by rule and case.")
def main(folder: Path, misses: Path | None) -> None:
    """Measure recall on other projects' cases."""
    details: list[str] = []
    click.echo(f"{'file':16} {'engine':12} {'recall':>7} {'negatives':>10} {'bar':>7}")
    for path in sorted(folder.glob("*.jsonl")):
        cases = [msgspec.json.decode(line, type=Case) for line in path.read_bytes().splitlines()]
        found = {name: engine(cases) for name, engine in engines().items()}
        scores = {name: score(cases, hits) for name, hits in found.items()}
        for name, result in scores.items():
            goal = f"{bar(path.stem, scores):7.3f}" if name == "ours" else ""
            click.echo(f"{path.stem:16} {name:12} {result.recall:7.3f} {result.negatives:10.3f} {goal}")
            rules = ", ".join(f"{rule} {count}" for rule, count in sorted(result.missed.items(), key=lambda i: -i[1]))
            details.append(f"## {path.stem}: {name} misses {sum(result.missed.values())}\n{rules}\n")
        details += only_we_miss(path.stem, cases, found)
    if misses:
        misses.write_text("\n".join(details), encoding="utf-8")


def only_we_miss(name: str, cases: list[Case], found: dict[str, list[bool]]) -> list[str]:
    """The positive cases that a peer finds and we do not."""
    rows = [f"## {name}: found by a peer, not by us"]
    for number, case in enumerate(cases):
        peers = [engine for engine, hits in found.items() if engine != "ours" and hits[number]]
        if case.kind == "positive" and peers and not found["ours"][number]:
            rows.append(f"{case.id} {case.rule} ({', '.join(peers)}): {case.text[:200]!r}")
    return [*rows, ""]


if __name__ == "__main__":
    main()
