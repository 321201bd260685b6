"""Annotations for GitHub Actions (workflow commands)."""

from __future__ import annotations

from jupyter_qguard.cli.report import Report
from jupyter_qguard.cli.report.lines import raw_line
from jupyter_qguard.cli.report.text import told_suppressed, where
from jupyter_qguard.scan import Severity


def render(report: Report) -> str:
    """One workflow command a finding and an error, and one with the count of what is suppressed."""
    out = []
    for file, finding in report.findings:
        kind = "error" if finding.severity >= Severity.HIGH else "warning"
        text = f"{finding.message} {where(finding)}, {finding.preview}"
        line = raw_line(file, finding)
        place = f"file={_property(file.path)},line={line},title={_property(finding.rule_id)}"
        out.append(f"::{kind} {place}::{_data(text)}")
    out += [f"::warning file={_property(file.path)}::{_data('not scanned: ' + file.error)}" for file in report.errors]
    if report.suppressed:
        out.append(f"::notice title=qguard::{_data(told_suppressed(report))}")
    return "".join(line + "\n" for line in out)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
