"""Keeps secrets out of what nbconvert makes: in the server's own handler, and on the command line.

``QGuardPreprocessor`` is what ``etc/jupyter/jupyter_nbconvert_config.json`` names; in a server :func:`guard_exports`
sets a redactor that uses the worker processes. A failing redactor fails the export.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import nbformat

from jupyter_qguard.errors import GuardFailureError, QGuardError
from jupyter_qguard.policy import Action, Mode, decide_save
from jupyter_qguard.redact import redact_notebook

if TYPE_CHECKING:
    from traitlets.config import Config

    from jupyter_qguard.policy import Policy
    from jupyter_qguard.scan import Finding, ScanResult


class ExportScan(Protocol):
    """What an export needs of a scanner, wherever that runs."""

    def scan_notebook(self, document: Mapping[str, Any]) -> ScanResult:
        """Scan the notebook that is exported. Raises InputError."""

    def scan_file(self, data: bytes, name: str) -> ScanResult:
        """Scan a file that goes with it. Raises InputError for binary ones."""

    def redact_file(self, data: bytes, name: str, findings: tuple[Finding, ...]) -> bytes:
        """Replace findings in such a file."""


def leaving(policy: Policy, result: ScanResult) -> tuple[Finding, ...]:
    """The findings that must not leave the house in an export or download.

    Whatever the policy acts on, be it only by a warning; an override lets a document be *saved*, no more. Where the
    policy only observes, nothing.
    """
    if policy.scan.mode is Mode.OBSERVE:
        return ()
    groups = decide_save(policy, result, today=dt.datetime.now(dt.timezone.utc).date()).by_action
    return (*groups[Action.BLOCK], *groups[Action.REDACT], *groups[Action.WARN])


class ExportRedactor:
    """Redacts a notebook and its extracted files on their way out. Called by nbconvert as the last preprocessor."""

    enabled = True
    """nbconvert sets it on what it registers."""

    def __init__(self, scan: ExportScan, policy: PolicyOf) -> None:
        """*policy* is asked at each export."""
        self._scan = scan
        self._policy = policy

    def __deepcopy__(self, memo: dict[int, Any]) -> ExportRedactor:
        """Itself: configuration is copied for each exporter, and this holds on to processes."""
        return self

    def __call__(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """The notebook and resources without what must not leave. Raises QGuardError, which fails the export."""
        try:
            return self._redacted(nb, resources)
        except QGuardError:
            raise
        except Exception as error:  # noqa: BLE001 - nbconvert shows what is raised, and a foreign error could quote
            message = f"the notebook could not be checked for secrets ({type(error).__name__})"
            raise GuardFailureError(message) from None

    def _redacted(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        policy = self._policy()
        findings = leaving(policy, self._scan.scan_notebook(nb))
        if findings:
            nb = nbformat.from_dict(redact_notebook(nb, findings))  # type: ignore[no-untyped-call]
        files = resources.get("outputs") if isinstance(resources, Mapping) else None
        if isinstance(files, dict):
            # Other preprocessors have moved images and attachments out of the notebook before.
            for name, data in files.items():
                files[name] = self._file(policy, name, data)
        return nb, resources

    def _file(self, policy: Policy, name: str, data: Any) -> Any:
        content = data.encode("utf-8") if isinstance(data, str) else bytes(data)
        findings = leaving(policy, self._scan.scan_file(content, f"{name}.txt"))
        if not findings:
            return data
        redacted = self._scan.redact_file(content, f"{name}.txt", findings)
        return redacted.decode("utf-8", "surrogateescape") if isinstance(data, str) else redacted


class PolicyOf(Protocol):
    """Says which policy is in force."""

    def __call__(self) -> Policy:
        """The policy."""


def guard_exports(config: Config, preprocessor: Any) -> None:
    """Make *preprocessor* the last one of every exporter built from *config*, whatever else is configured.

    A list set for one class of exporters replaces the list set for all, so it must stand in each.
    """
    _append(config, preprocessor)
    if not config.Exporter.get("preprocessors"):
        config.Exporter.preprocessors = [preprocessor]


def _append(section: Any, preprocessor: Any) -> None:
    for name, value in list(section.items()):
        if name == "preprocessors":
            known = value.get_value([]) if hasattr(value, "get_value") else list(value)
            section[name] = [*known, preprocessor]
        elif isinstance(value, dict) and name[:1].isupper():
            _append(value, preprocessor)


def __getattr__(name: str) -> object:
    """The preprocessor for the command line: nbconvert is imported where it runs, and not in each server."""
    if name != "QGuardPreprocessor":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from jupyter_qguard.server.preprocessor import QGuardPreprocessor  # noqa: PLC0415 - see above

    return QGuardPreprocessor
