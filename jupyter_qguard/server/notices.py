"""Tells front ends through Jupyter's event bus. A courtesy: nothing depends on an event having arrived."""

from __future__ import annotations

import enum
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_qguard.server.refusal import place_of

if TYPE_CHECKING:
    from jupyter_events.logger import EventLogger

    from jupyter_qguard.server.decisions import Decision

_LOG = logging.getLogger(__name__)
_BASE = "https://jupyter-qguard.readthedocs.io/events"
SAVE_EVENT = f"{_BASE}/save/v1"
GUARD_EVENT = f"{_BASE}/guard/v1"
_SHOWN = 20
"""Findings in an event; the schema says so too."""


class HasLoop(Protocol):
    """A Jupyter server, of which the loop is all that is needed; it has none before it starts."""

    @property
    def io_loop(self) -> Any:
        """Tornado's event loop."""


class GuardNotice(enum.Enum):
    """Kinds of the guard event."""

    UNREADABLE = "unreadable"
    FAILED = "failed"
    POLICY = "policy"
    CLASS = "class"
    EGRESS = "egress"


class NoticeBoard:
    """Emits the events of this package. Methods may be called from any thread."""

    def __init__(self, logger: EventLogger, server: HasLoop) -> None:
        """Register the schemas. *server* has the event loop, on whose thread listeners must be started."""
        self._logger = logger
        self._server = server
        for schema in sorted((Path(__file__).parent / "events").glob("*.yaml")):
            logger.register_event_schema(schema)

    def decided(self, decision: Decision, message: str) -> None:
        """A write had findings."""
        data: dict[str, Any] = {
            "id": decision.id,
            "path": decision.path,
            "outcome": decision.outcome.value,
            "count": decision.count,
            "message": message,
            "findings": [
                {
                    "rule_id": finding.rule_id,
                    "place": finding.place.value,
                    "where": place_of(finding),
                    "cell": finding.cell.index if finding.cell else None,
                    "message": finding.message,
                }
                for finding in decision.findings[:_SHOWN]
            ],
        }
        self._emit(SAVE_EVENT, data)

    def guard(self, kind: GuardNotice, message: str, path: str | None = None, kernel: str | None = None) -> None:
        """Something about the guard itself."""
        data = {"kind": kind.value, "message": message}
        if kernel is not None:
            data["kernel"] = kernel
        if path is not None:
            data["path"] = path
        self._emit(GUARD_EVENT, data)

    def _emit(self, schema_id: str, data: dict[str, Any]) -> None:
        def emit() -> None:
            try:
                self._logger.emit(schema_id=schema_id, data=data)
            except Exception:  # noqa: BLE001
                # A listener or handler of someone else's failed: no reason to refuse or lose a save.
                _LOG.exception("An event could not be emitted")

        self._server.io_loop.add_callback(emit)
