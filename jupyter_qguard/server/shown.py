"""A finding as clients see it: located, explained, masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_qguard.server.refusal import place_of

if TYPE_CHECKING:
    from jupyter_qguard.scan import Finding


def shown(finding: Finding) -> dict[str, Any]:
    """A finding as clients see it."""
    cell = finding.cell
    return {
        "rule_id": finding.rule_id,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "classification": finding.classification.label,
        "vendor": finding.vendor,
        "place": finding.place.value,
        "where": place_of(finding),
        "cell": {"index": cell.index, "id": cell.id, "type": cell.type} if cell else None,
        "pointer": finding.pointer,
        "spans": finding.spans,
        "in_key": finding.in_key,
        "line": finding.line,
        "preview": finding.preview,
        "message": finding.message,
    }
