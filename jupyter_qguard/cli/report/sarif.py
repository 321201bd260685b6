"""The report as SARIF 2.1.0 (OASIS), for code scanning."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any
from urllib.parse import quote

from jupyter_qguard._version import __version__
from jupyter_qguard.cli.pool import FileResult
from jupyter_qguard.cli.report import Report, exit_code
from jupyter_qguard.cli.report.lines import raw_line
from jupyter_qguard.cli.report.text import where
from jupyter_qguard.scan import Finding, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}


def render(report: Report) -> str:
    """One run with all results, suppressed ones included and marked."""
    active = [(file, finding, None) for file, finding in report.findings]
    muted = [(file, item.finding, item) for file in report.files for item in file.result.suppressed]
    everything = [*active, *muted]
    rules = {finding.rule_id: finding for _, finding, _ in everything}
    index = {rule_id: number for number, rule_id in enumerate(sorted(rules))}
    results = [
        _result(file, finding, index[finding.rule_id])
        | ({} if item is None else {"suppressions": [_suppression(item.kind.value, item.reason)]})
        for file, finding, item in everything
    ]
    driver = {
        "name": "qguard",
        "semanticVersion": __version__,
        "version": __version__,
        "informationUri": "https://github.com/jupyter-qguard/jupyter-qguard",
        "rules": [_rule(rules[rule_id]) for rule_id in sorted(rules)],
    }
    invocation = {
        "executionSuccessful": not report.errors,
        "exitCode": exit_code(report),
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": file.error}, "locations": [_location(file, 1)]}
            for file in report.errors
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "invocations": [invocation],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.rule_id,
        "shortDescription": {"text": finding.rule_id.replace("-", " ")},
        "fullDescription": {"text": finding.message},
        "help": {
            "text": "Revoke the credential if it was shared, take it out (qguard redact), and use the vault instead. "
            f"If it is none, write behind it: # qguard: allow[{finding.rule_id}] reason"
        },
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"security-severity": _SCORES[finding.severity], "tags": ["security", "secret"]},
    }


def _result(file: FileResult, finding: Finding, index: int) -> dict[str, Any]:
    location = _location(file, raw_line(file, finding))
    if finding.cell is not None:
        cell = finding.cell.id or str(finding.cell.index)
        location["logicalLocations"] = [
            {
                "fullyQualifiedName": f"{file.path}#cell={cell}/{finding.place.value}:L{finding.line}",
                "name": f"cell {finding.cell.index + 1}",
                "kind": "member",
            }
        ]
    return {
        "ruleId": finding.rule_id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} ({where(finding)}, {finding.preview})"},
        "locations": [location],
        "partialFingerprints": {"qguard/v1": _partial(file, finding)},
        "properties": {"confidence": finding.confidence.label, "classification": finding.classification.label},
    }


def _location(file: FileResult, line: int) -> dict[str, Any]:
    path = file.path.removeprefix("./")
    uri = ("file://" if path.startswith("/") else "") + quote(os.fsencode(path), safe="/-._~")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def _partial(file: FileResult, finding: Finding) -> str:
    """From rule, place and shape of the finding, never from the value: it may be published with the report."""
    cell = (finding.cell.id or str(finding.cell.index)) if finding.cell else ""
    tail = finding.pointer.rpartition("/")[2]
    text = "\0".join((finding.rule_id, file.path, cell, finding.place.value, tail, str(len(finding.spans))))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _suppression(kind: str, reason: str) -> dict[str, Any]:
    outside = kind == "baseline"
    return {"kind": "external" if outside else "inSource"} | ({"justification": reason} if reason else {})
