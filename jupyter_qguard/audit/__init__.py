"""The audit trail: typed events in one hash chain with signed checkpoints. The record of what the guard decided."""

from __future__ import annotations

from jupyter_qguard.audit.envelope import Record
from jupyter_qguard.audit.event import AuditEvent, EventType, Identity, IdentityKind
from jupyter_qguard.audit.folder import AuditPaths, audit_paths
from jupyter_qguard.audit.log import AuditLog
from jupyter_qguard.audit.writer import LogSettings

__all__ = [
    "AuditEvent",
    "AuditLog",
    "AuditPaths",
    "EventType",
    "Identity",
    "IdentityKind",
    "LogSettings",
    "Record",
    "audit_paths",
]
