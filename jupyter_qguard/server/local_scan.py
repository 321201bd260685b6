"""A scanner in this process, for exports on the command line, where there is no server with workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.server.wire import RedactBytes
from jupyter_qguard.server.worker import redact_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.policy import Policy
    from jupyter_qguard.scan import Finding, ScanResult


class LocalScan:
    """An :class:`~jupyter_qguard.server.export.ExportScan` that blocks."""

    def __init__(self, policy: Policy, key: bytes, announce: Callable[[str], None]) -> None:
        """Load the rules. Raises GuardFailureError."""
        self._scanner = Scanner.load(ScanSettings(key, policy.classify, policy.patterns), announce=announce)

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:
        """Scan a notebook."""
        return self._scanner.scan_notebook(document)

    def scan_file(self, data: bytes, name: str) -> ScanResult:
        """Scan a file."""
        return self._scanner.scan_bytes(data, name)

    def redact_file(self, data: bytes, name: str, findings: tuple[Finding, ...]) -> bytes:
        """Replace findings in a file."""
        return redact_bytes(RedactBytes(name, data, findings))
