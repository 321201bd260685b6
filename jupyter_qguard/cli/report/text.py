"""The report for people."""

from __future__ import annotations

import click

from jupyter_qguard.cli.output import plain
from jupyter_qguard.cli.pool import FileResult
from jupyter_qguard.cli.report import Report
from jupyter_qguard.scan import Finding, Place, Severity

_COLOURS = {Severity.CRITICAL: "red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}
_PLACES = {Place.SOURCE: "source", Place.OUTPUT: "output", Place.METADATA: "metadata", Place.TEXT_FILE: ""}


def render(report: Report) -> str:
    """One line a finding, then how to fix, then a summary."""
    lines: list[str] = []
    before = ""
    for file, finding in report.findings:
        if file.path != before:
            name = f"{file.path} (commit {file.origin[:12]})" if file.origin else file.path
            lines += ([""] if before else []) + [click.style(plain(name), bold=True)]
            before = file.path
        lines += _finding(finding)
    lines += [click.style(plain(f"{file.path}: not scanned: {file.error}"), fg="yellow") for file in report.errors]
    if report.findings:
        lines += ["", *_remedy()]
    return "\n".join([*lines, "", _summary(report)]).lstrip("\n") + "\n"


def where(finding: Finding) -> str:
    """The place as people count it: cells and lines from 1."""
    if finding.cell is None:
        place = "notebook metadata" if finding.place is Place.METADATA else ""
        return f"{place} {finding.pointer}".strip() if finding.pointer else f"line {finding.line}"
    name = f"cell {finding.cell.index + 1}"
    name += f" [{finding.cell.id}]" if finding.cell.id else ""
    return f"{name} {_PLACES[finding.place]} line {finding.line}"


def told_suppressed(report: Report) -> str:
    """How many findings are suppressed, and by what."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.suppressed.items()))
    return f"{sum(report.suppressed.values())} suppressed ({kinds})"


def _finding(finding: Finding) -> list[str]:
    severity = click.style(f"{finding.severity.label:8}", fg=_COLOURS.get(finding.severity))
    confidence = "" if finding.confidence.label == "high" else f" ({finding.confidence.label} confidence)"
    key = ", in a key" if finding.in_key else ""
    return [
        f"  {severity} {plain(f'{where(finding)}{key}: {finding.rule_id}  {finding.preview}')}{confidence}",
        f"           {finding.message}",
    ]


def _remedy() -> list[str]:
    return [
        "What to do: revoke a key that was shared, then take it out (qguard redact FILE -o FILE).",
        "Not a secret? Say why behind it:  # qguard: allow[RULE-ID] reason",
    ]


def _summary(report: Report) -> str:
    size = sum(file.size for file in report.files)
    read = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    parts = [f"{_counted(len(report.files), 'file')}, {read}", _counted(len(report.findings), "finding")]
    if report.suppressed:
        parts.append(told_suppressed(report))
    if report.labels:
        parts.append(f"{report.labels} labelled")
    if report.errors:
        parts.append(f"{len(report.errors)} not scanned")
    return ": ".join([parts[0], ", ".join(parts[1:])])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def name_of(file: FileResult) -> str:
    """The file's name in reports."""
    return f"{file.path}@{file.origin[:12]}" if file.origin else file.path
