"""The report as one JSON object (docs/reference/cli.md)."""

from __future__ import annotations

import json
from typing import Any

from jupyter_qguard.cli.pool import FileResult
from jupyter_qguard.cli.report import Report
from jupyter_qguard.scan import Finding


def render(report: Report) -> str:
    """The whole report."""
    document = {
        "version": 1,
        "engine": report.engine,
        "files": len(report.files),
        "bytes": sum(file.size for file in report.files),
        "findings": [finding_record(file, finding) for file, finding in report.findings],
        "errors": [{"path": file.path, "message": file.error} for file in report.errors],
        "suppressed": dict(report.suppressed),
        "labels": [finding_record(file, label) for file in report.files for label in file.result.labels],
        "binary_files": sum(file.binary for file in report.files),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def finding_record(file: FileResult, finding: Finding) -> dict[str, Any]:
    """One finding. Holds no value: the preview shows at most 4 characters of it."""
    cell = finding.cell
    record: dict[str, Any] = {
        "path": file.path,
        "rule_id": finding.rule_id,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "classification": finding.classification.label,
        "vendor": finding.vendor,
        "fingerprint": finding.fingerprint,
        "pointer": finding.pointer,
        "spans": [list(span) for span in finding.spans],
        "cell": None if cell is None else {"index": cell.index, "id": cell.id, "type": cell.type},
        "preview": finding.preview,
        "place": finding.place.value,
        "line": finding.line,
        "message": finding.message,
    }
    if finding.in_key:
        record["in_key"] = True
    if file.origin:
        record["commit"] = file.origin
    return record
