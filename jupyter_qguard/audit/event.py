"""What the trail can record: one type per event, each with the few fields it may have and no others.

There is no field that could hold text of a notebook or a secret. ``reason`` and ``detail`` are written by people or by
the guard: they are short, and screened before they are written (see :mod:`jupyter_qguard.audit.envelope`).
"""

from __future__ import annotations

import enum
from typing import ClassVar

import msgspec


class EventType(enum.Enum):
    """What happened."""

    SAVE_DECIDED = "save.decided"
    OVERRIDE_GRANTED = "override.granted"
    LEASE_GRANTED = "lease.granted"
    LEASE_REFUSED = "lease.refused"
    LEASE_REVOKED = "lease.revoked"
    EGRESS_DECIDED = "egress.decided"
    OPERATION_DECIDED = "operation.decided"
    JOB_SUBMITTED = "job.submitted"
    JOB_UNKNOWN = "job.unknown"
    RESULT_READ = "result.read"
    KERNEL_STARTED = "kernel.started"
    POLICY_LOADED = "policy.loaded"
    GUARD_FAILED = "guard.failed"
    ALERT_RAISED = "alert.raised"
    ALERT_CLOSED = "alert.closed"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORTED = "audit.exported"


class IdentityKind(enum.Enum):
    """What kind of actor an identity is."""

    PERSON = "person"
    SERVICE = "service"
    WORKLOAD = "workload"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted, as the process knows it and not as anybody claims."""

    kind: IdentityKind
    user: str
    role: str = ""
    environment: str = ""
    source: str = "qguard"
    """The part of the guard that writes: ``server``, ``gateway``, ``cli``."""


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what an event says."""

    type: ClassVar[EventType]


class SaveDecided(EventData, frozen=True, kw_only=True):
    """A save, upload, copy, checkpoint or export was judged."""

    type: ClassVar[EventType] = EventType.SAVE_DECIDED
    action: str
    would: str = ""
    """The action in mode enforce, where it differs."""
    operation: str = ""
    """Which write path: ``save``, ``upload``, ``copy``, ``checkpoint``, ``export``."""
    rule_ids: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    """Keyed hashes of the findings that decided."""
    findings: int = 0
    classification: str = ""
    override: str = ""
    """Id of the override that let it through."""
    report: str = ""
    """The id in ``[qg:ID]`` that the user saw."""
    reason: str = ""
    count: int = 1


class OverrideGranted(EventData, frozen=True, kw_only=True):
    """A person took responsibility for one save, for lowering the class of a notebook, or for a host."""

    type: ClassVar[EventType] = EventType.OVERRIDE_GRANTED
    override: str
    rule_ids: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    reason: str
    classification: str = ""
    """The lower class that a notebook states from now on."""
    until: str = ""
    proof: str = ""
    """How the person was proved afresh, where the policy asks for that."""
    host: str = ""
    """What one kernel may reach until then."""
    port: int = 0


class LeaseGranted(EventData, frozen=True, kw_only=True):
    """A kernel was given a handle or a short-lived value."""

    type: ClassVar[EventType] = EventType.LEASE_GRANTED
    lease: str
    access: str
    vendor: str
    custody: str
    until: str


class LeaseRefused(EventData, frozen=True, kw_only=True):
    """A kernel asked for a secret and did not get it."""

    type: ClassVar[EventType] = EventType.LEASE_REFUSED
    access: str
    reason: str
    count: int = 1


class LeaseRevoked(EventData, frozen=True, kw_only=True):
    """A lease ended before its time."""

    type: ClassVar[EventType] = EventType.LEASE_REVOKED
    lease: str
    reason: str = ""


class EgressDecided(EventData, frozen=True, kw_only=True):
    """A connection was allowed or refused."""

    type: ClassVar[EventType] = EventType.EGRESS_DECIDED
    action: str
    would: str = ""
    host: str
    port: int
    address: str = ""
    reason: str = ""
    count: int = 1


class OperationDecided(EventData, frozen=True, kw_only=True):
    """A request to a vendor was allowed or refused."""

    type: ClassVar[EventType] = EventType.OPERATION_DECIDED
    action: str
    operation: str
    """``inspect``, ``submit``, …; empty where the request is none that the catalogue knows."""
    vendor: str
    host: str = ""
    request: str = ""
    """Method and path as the catalogue spells them, without what varies."""
    lease: str = ""
    cause: str = ""
    """Of a refusal: ``policy``, ``credential``, ``quota``, ``guard``, ``network``, ``vendor``. What was allowed and the
    vendor then refused has the last, in a record of its own."""
    reason: str = ""
    count: int = 1


class JobSubmitted(EventData, frozen=True, kw_only=True):
    """A vendor took a job."""

    type: ClassVar[EventType] = EventType.JOB_SUBMITTED
    vendor: str
    job: str
    lease: str = ""


class JobUnknown(EventData, frozen=True, kw_only=True):
    """A job was submitted and the vendor's answer did not name it."""

    type: ClassVar[EventType] = EventType.JOB_UNKNOWN
    vendor: str
    lease: str = ""
    detail: str = ""


class ResultRead(EventData, frozen=True, kw_only=True):
    """The result of a job went to a kernel."""

    type: ClassVar[EventType] = EventType.RESULT_READ
    vendor: str
    job: str
    lease: str = ""
    count: int = 1


class KernelStarted(EventData, frozen=True, kw_only=True):
    """A kernel was started, and how strongly it is confined."""

    type: ClassVar[EventType] = EventType.KERNEL_STARTED
    kernelspec: str
    tier: str
    enforced: tuple[str, ...] = ()


class PolicyLoaded(EventData, frozen=True, kw_only=True):
    """Another policy is in force."""

    type: ClassVar[EventType] = EventType.POLICY_LOADED
    sources: tuple[str, ...]
    digests: tuple[str, ...] = ()
    strictest: bool = False
    detail: str = ""


class GuardFailed(EventData, frozen=True, kw_only=True):
    """A part of the guard failed; what it guards was refused."""

    type: ClassVar[EventType] = EventType.GUARD_FAILED
    part: str
    code: str
    detail: str = ""
    count: int = 1


class AlertRaised(EventData, frozen=True, kw_only=True):
    """Something deserves a person's attention."""

    type: ClassVar[EventType] = EventType.ALERT_RAISED
    alert: str
    rule: str
    severity: str
    detail: str = ""


class AlertClosed(EventData, frozen=True, kw_only=True):
    """A person dealt with an alert."""

    type: ClassVar[EventType] = EventType.ALERT_CLOSED
    alert: str
    reason: str


class AuditRead(EventData, frozen=True, kw_only=True):
    """Records of the trail were shown."""

    type: ClassVar[EventType] = EventType.AUDIT_READ
    records: int
    filters: tuple[str, ...] = ()


class AuditExported(EventData, frozen=True, kw_only=True):
    """Records of the trail were handed out."""

    type: ClassVar[EventType] = EventType.AUDIT_EXPORTED
    records: int
    format: str
    identified: bool = False
    """True where the names of people and notebooks, and reasons, were left in."""
    first: int = 0
    last: int = 0
    digest: str = ""
    """SHA-256 of what was handed out, in hexadecimal."""
    filters: tuple[str, ...] = ()


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, and where it came from."""

    data: EventData
    identity: Identity | None = None
    """Who acted; None for whoever opened the log."""
    kernel: str = ""
    notebook: str = ""
    """Path as claimed by the client."""
    cell: str = ""
    """Cell id as claimed by the client."""
    correlationid: str = ""
    """W3C trace id: 32 hexadecimal digits."""


DATA_OF: dict[EventType, type[EventData]] = {kind.type: kind for kind in EventData.__subclasses__()}
"""Every event type, and what it says."""
