"""Scans of what leaves the server, in its worker processes: exports and downloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.scan import ScanResult
from jupyter_qguard.scan.binary import LARGEST_BINARY
from jupyter_qguard.server.submission import Form, Submission

if TYPE_CHECKING:
    from jupyter_qguard.scan import Finding
    from jupyter_qguard.server.guard import SaveGuard


class PoolScan:
    """An :class:`~jupyter_qguard.server.export.ExportScan` that asks the workers. Blocks; for threads."""

    def __init__(self, guard: SaveGuard) -> None:
        """Use the pool and the memory of *guard*."""
        self._guard = guard

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:
        """Scan a notebook."""
        return self._scan(Submission("export.ipynb", Form.NOTEBOOK, document=document))

    def scan_file(self, data: bytes, name: str) -> ScanResult:
        """Scan a file."""
        return self._scan(Submission(name, Form.BASE64, data=data))

    def redact_file(self, data: bytes, name: str, findings: tuple[Finding, ...]) -> bytes:
        """Replace findings in a file."""
        return self._guard.pool.redact(data, name, findings)

    def _scan(self, submission: Submission) -> ScanResult:
        prepared = submission.prepared()
        if prepared.size > min(LARGEST_BINARY, self._guard.scan_limit) and submission.is_binary:
            return ScanResult(())
        if prepared.size > self._guard.scan_limit:
            message = f"{submission.name} is too large to be checked"
            raise GuardFailureError(message)
        return self._guard.scan(submission)
