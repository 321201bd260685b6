"""The forms of a scan's report, one file each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_qguard.cli.pool import FileResult
from jupyter_qguard.scan import Finding, Severity


@dataclass(frozen=True, slots=True)
class Report:
    """All that a scan gave, in order of path."""

    files: tuple[FileResult, ...]
    fail_on: Severity
    engine: dict[str, str]

    @property
    def findings(self) -> list[tuple[FileResult, Finding]]:
        """Every finding with its file."""
        return [(file, finding) for file in self.files for finding in file.result.findings]

    @property
    def errors(self) -> list[FileResult]:
        """Files that could not be scanned."""
        return [file for file in self.files if file.error]

    @property
    def failing(self) -> int:
        """Findings at or above the severity that fails the run."""
        return sum(finding.severity >= self.fail_on for _, finding in self.findings)

    @property
    def suppressed(self) -> Counter[str]:
        """How many findings were suppressed, by kind."""
        return Counter(item.kind.value for file in self.files for item in file.result.suppressed)

    @property
    def labels(self) -> int:
        """How many data are classified, and neither credentials nor named by the policy."""
        return sum(len(file.result.labels) for file in self.files)


def exit_code(report: Report) -> int:
    """0 nothing found, 1 findings, 4 none but some input could not be read."""
    if report.failing:
        return 1
    return 4 if report.errors else 0


def in_order(files: Sequence[FileResult]) -> tuple[FileResult, ...]:
    """Sorted by path, so that two runs print the same."""
    return tuple(sorted(files, key=lambda file: (file.origin, file.path)))
