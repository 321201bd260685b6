"""What a policy file may hold, key by key: the strict parser and the JSON Schema are both made from these records."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from jupyter_qguard.policy.model import Environment, Mode, Operation, Terminals
from jupyter_qguard.policy.vaults import SignIn

API_VERSION = "qguard/v1"

ActionName = Literal["block", "redact", "warn"]
ClassName = Literal["public", "internal", "confidential", "restricted"]
TierName = Literal["netns", "platform", "cooperative"]

Text = Annotated[str, Meta(min_length=1, max_length=1000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
HostText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1000,
        description="A host, or `*.example.org` for every host one or more labels below example.org.",
    ),
]
Expiry = Annotated[dt.date, Meta(description="Last day on which the entry holds, as 2027-01-31.")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1000,
        description="Where the value lies, never the value: local://NAME, keyring://SERVICE/NAME, "
        "openbao://MOUNT/PATH#FIELD, vault://MOUNT/PATH#FIELD or aws://NAME#FIELD.",
    ),
]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A strict, immutable record."""


class ScanRecord(Record, frozen=True, kw_only=True):
    """What happens to a save, by the place that a secret stands in."""

    mode: Annotated[Mode, Meta(description="enforce, or observe: record what would happen and only warn.")] = (
        Mode.ENFORCE
    )
    source: Annotated[ActionName, Meta(description="Cell sources.")] = "block"
    output: Annotated[ActionName, Meta(description="Cell outputs.")] = "redact"
    metadata: Annotated[ActionName, Meta(description="Notebook and cell metadata, attachments, widget state.")] = (
        "redact"
    )
    text_files: Annotated[ActionName, Meta(description="Every file that is no notebook.")] = "block"


class ClassifyRecord(Record, frozen=True, kw_only=True):
    """A team's own kind of data."""

    class_: Annotated[ClassName, Meta(description="Its data class.")] = msgspec.field(name="class")
    patterns: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...],
        Meta(max_length=50, description="Regular expressions that find it; see the reference for the syntax allowed."),
    ] = ()
    description: Annotated[str, Meta(max_length=500, description="Shown with each finding.")] = ""


class AllowRecord(Record, frozen=True, kw_only=True):
    """A host that kernels may reach."""

    host: HostText
    ports: Annotated[tuple[Port, ...], Meta(min_length=1, max_length=100)] = (443,)
    addresses: Annotated[
        tuple[Name, ...],
        Meta(max_length=100, description="Resolved addresses accepted, as 10.20.0.0/24; needed for private ones."),
    ] = ()
    plain: Annotated[bool, Meta(description="True where no TLS is spoken; needs a reason.")] = False
    owner: Text | None = None
    reason: Text | None = None
    expires: Expiry | None = None


class DenyRecord(Record, frozen=True, kw_only=True):
    """A host that kernels may never reach."""

    host: HostText
    owner: Text | None = None
    reason: Text | None = None


class EgressRecord(Record, frozen=True, kw_only=True):
    """Where kernels may connect to."""

    mode: Annotated[Mode, Meta(description="enforce, or observe: decide and record, refuse nothing.")] = Mode.ENFORCE
    minimum_tier: Annotated[TierName, Meta(description="No kernel starts in a weaker sandbox.")] = "cooperative"
    allow: Annotated[tuple[AllowRecord, ...], Meta(max_length=5000)] = ()
    deny: Annotated[tuple[DenyRecord, ...], Meta(max_length=5000)] = ()
    upstream_proxy: Annotated[Text, Meta(description="URL of the proxy this machine must use.")] | None = None
    ca_bundle: Annotated[Text, Meta(description="Absolute path of a PEM file to trust.")] | None = None
    terminals: (
        Annotated[Terminals, Meta(description="Whether the server offers terminals; without it, not under enforce.")]
        | None
    ) = None


class WhoRecord(Record, frozen=True, kw_only=True):
    """Whom an access entry is for."""

    users: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()


class AccessRecord(Record, frozen=True, kw_only=True):
    """One secret bound to hosts, people, a purpose and an end."""

    name: Annotated[
        str,
        Meta(max_length=100, pattern="^[A-Za-z0-9][A-Za-z0-9._/-]*$", description="What %qguard use calls it."),
    ]
    vendor: Annotated[Name, Meta(description="Vendor id in the catalogue; brings hosts, operations and wire rules.")]
    regions: tuple[Name, ...] = ()
    secret: Reference | None = None
    secrets: Annotated[dict[Name, Reference], Meta(description="For a vendor with several fields.")] = {}
    settings: Annotated[dict[Name, Text], Meta(description="What the vendor's SDK needs beside the secret.")] = {}
    environment: Environment
    owner: Text
    purpose: Text
    expires: Expiry
    who: WhoRecord | None = None
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1)] = (Operation.INSPECT,)
    quota: Annotated[
        dict[Operation, Annotated[str, Meta(pattern="^[1-9][0-9]{0,8}/(minute|hour|day|week)$")]],
        Meta(description="As 50/day."),
    ] = {}


class ExceptionRecord(Record, frozen=True, kw_only=True):
    """The policy bends, for a reason and until a date."""

    what: Annotated[
        Text,
        Meta(description="rule:RULE_ID, rule:RULE_ID in PATH_PATTERN, kernelspec:NAME, or a note that bends nothing."),
    ]
    owner: Text
    reason: Text
    compensating_control: Text
    expires: Expiry


class FileRecord(Record, frozen=True, kw_only=True):
    """What kernels see at a path."""

    path: Annotated[Text, Meta(description="Absolute, or below ~/; without patterns.")]
    access: Annotated[
        Literal["hidden", "read_only", "read_write"], Meta(description="read_write needs owner, reason and expires.")
    ]
    owner: Text | None = None
    reason: Text | None = None
    expires: Expiry | None = None


class AuditRecord(Record, frozen=True, kw_only=True):
    """Where the trail lies and how long it is kept."""

    path: Annotated[Text, Meta(description="Absolute path of the folder.")] | None = None
    retention: (
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,4}d$", description="Days to keep whole segments, as 400d.")] | None
    ) = None


class SignInRecord(Record, frozen=True, kw_only=True):
    """How to sign in at OpenBao or Vault."""

    method: SignIn
    mount: Annotated[Name, Meta(description="Where the method is mounted, if not under its own name.")] | None = None
    role: Annotated[Name, Meta(description="Name of the role; for approle its role id.")] | None = None
    file: (
        Annotated[Text, Meta(description="Absolute path of the file with the token, secret id or JWT; read each time.")]
        | None
    ) = None
    wrapped: Annotated[bool, Meta(description="True where the file holds a wrapping token of the secret id.")] = False


class BaoRecord(Record, frozen=True, kw_only=True):
    """An OpenBao or HashiCorp Vault."""

    address: Annotated[Text, Meta(description="As https://bao.example.org:8200.")] | None = None
    namespace: Name | None = None
    ca_bundle: Annotated[Text, Meta(description="Absolute path of a PEM file to trust.")] | None = None
    sign_in: SignInRecord | None = None


class AwsRecord(Record, frozen=True, kw_only=True):
    """AWS Secrets Manager."""

    region: Name | None = None
    profile: Annotated[Name, Meta(description="Of the files under ~/.aws.")] | None = None
    endpoint: Annotated[Text, Meta(description="URL of a private endpoint.")] | None = None


class VaultsRecord(Record, frozen=True, kw_only=True):
    """How this machine reaches its vaults: literals and paths of files, never a secret."""

    openbao: BaoRecord | None = None
    vault: BaoRecord | None = None
    aws: AwsRecord | None = None
    others: Annotated[
        dict[Name, dict[Name, Text]], Meta(description="Source of a third party to its settings.", max_length=50)
    ] = {}


class PolicyRecord(Record, frozen=True, kw_only=True):
    """A policy of jupyter-qguard."""

    apiVersion: Literal["qguard/v1"]  # noqa: N815 (the key that the contract names)
    scan: ScanRecord = ScanRecord()
    classify: Annotated[
        dict[Name, ClassName | ClassifyRecord],
        Meta(description="Data that is no credential and yet is acted upon, by name."),
    ] = {}
    egress: EgressRecord | None = None
    access: Annotated[tuple[AccessRecord, ...], Meta(max_length=5000)] = ()
    exceptions: Annotated[tuple[ExceptionRecord, ...], Meta(max_length=5000)] = ()
    files: Annotated[tuple[FileRecord, ...], Meta(max_length=5000)] = ()
    audit: AuditRecord = AuditRecord()
    vaults: VaultsRecord = VaultsRecord()
