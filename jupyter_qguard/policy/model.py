"""The policy as values: what an operator wants, checked and normalised. Nothing here reads a file or the clock.

In every ranking the strictest member comes first and is zero, so that what nobody filled in denies.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_qguard.policy.vaults import VaultsPolicy
from jupyter_qguard.scan.finding import Classification, Place

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

    from jupyter_qguard.policy.host import HostPattern
    from jupyter_qguard.secret import SecretRef


class Mode(enum.Enum):
    """Whether a decision is carried out or only recorded."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Action(enum.IntEnum):
    """What happens to a save, strictest first: of two, the lower one wins."""

    BLOCK = 0
    REDACT = 1
    WARN = 2
    ALLOW = 3
    """Only ever the outcome of a decision; a policy cannot name it."""

    @property
    def label(self) -> str:
        """The name used in policies, reports and records."""
        return self.name.lower()


class Tier(enum.IntEnum):
    """Strength of the sandbox around a kernel, strongest first."""

    NETNS = 0
    PLATFORM = 1
    COOPERATIVE = 2

    @property
    def label(self) -> str:
        """The name used in policies and reports."""
        return self.name.lower()


class Terminals(enum.Enum):
    """What becomes of the server's terminals, which no kernel guard surrounds."""

    CLOSED = "closed"
    UNGUARDED = "unguarded"


class Environment(enum.Enum):
    """Where a piece of work belongs."""

    DEV = "dev"
    TEST = "test"
    PROD = "prod"


class Operation(enum.Enum):
    """What an access entry may permit. ``auth`` is implied, ``mint`` is never brokered: neither can be named."""

    INSPECT = "inspect"
    SUBMIT = "submit"
    READ_RESULTS = "read_results"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class ScanPolicy:
    """What to do with findings, by the place they stand in. The defaults are those of the built-in starter."""

    mode: Mode = Mode.ENFORCE
    source: Action = Action.BLOCK
    output: Action = Action.REDACT
    metadata: Action = Action.REDACT
    text_files: Action = Action.BLOCK

    def action_at(self, place: Place) -> Action:
        """The action for a finding at *place*."""
        actions = {
            Place.SOURCE: self.source,
            Place.OUTPUT: self.output,
            Place.METADATA: self.metadata,
            Place.TEXT_FILE: self.text_files,
        }
        return actions[place]


@dataclass(frozen=True, slots=True)
class AllowRule:
    """One entry of the allowlist."""

    host: HostPattern
    ports: tuple[int, ...] = (443,)
    addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    """Resolved addresses accepted; empty means every public address and no private one."""
    plain: bool = False
    """True where no TLS is spoken."""
    owner: str = ""
    reason: str = ""
    expires: dt.date | None = None
    """Last day on which the entry holds."""
    where: str = field(default="", compare=False)
    """File and line that it stands on."""


@dataclass(frozen=True, slots=True)
class DenyRule:
    """A host that is refused whatever the allowlist says."""

    host: HostPattern
    owner: str = ""
    reason: str = ""
    where: str = field(default="", compare=False)
    """File and line that it stands on."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Where kernels may connect to."""

    mode: Mode = Mode.ENFORCE
    minimum_tier: Tier = Tier.COOPERATIVE
    allow: tuple[AllowRule, ...] = ()
    deny: tuple[DenyRule, ...] = ()
    upstream_proxy: str | None = None
    """URL of a proxy that this machine must use."""
    ca_bundle: str | None = None
    """Absolute path of a PEM file; None for the system's."""
    terminals: Terminals | None = None
    """None: closed where connections are enforced."""

    @property
    def open_terminals(self) -> bool:
        """Whether the server may offer terminals."""
        if self.terminals is None:
            return self.mode is Mode.OBSERVE
        return self.terminals is Terminals.UNGUARDED


class QuotaPeriod(enum.Enum):
    """The span that a quota counts over."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Quota:
    """At most *count* operations in a *period*."""

    count: int
    period: QuotaPeriod


@dataclass(frozen=True, slots=True)
class Who:
    """Whom an access entry is for; empty means the user who runs the server."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One secret bound to a vendor, people, a purpose and an end."""

    name: str
    vendor: str
    """Catalogue id."""
    secrets: Mapping[str, SecretRef]
    """Field to secret reference; a lone ``secret`` stands under the empty field name."""
    environment: Environment
    owner: str
    purpose: str
    expires: dt.date
    """Last day on which the entry holds."""
    regions: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    who: Who = Who()
    operations: frozenset[Operation] = frozenset({Operation.INSPECT})
    quota: Mapping[Operation, Quota] = field(default_factory=dict)
    where: str = field(default="", compare=False)
    """File and line that it stands on."""


class ExceptionKind(enum.Enum):
    """What an exception bends."""

    RULE = "rule"
    """Findings of one rule are warned about and do not stop a save."""
    KERNELSPEC = "kernelspec"
    """A kernelspec may name a provisioner of its own."""
    NOTE = "note"
    """Nothing: a line of the register for something outside the guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyException:
    """The policy bends, for a reason and until a date."""

    kind: ExceptionKind
    target: str
    """Rule id or kernelspec name; the whole text of a note."""
    paths: str | None = None
    """For rules: a pattern (``*`` and ``?``) of the server paths it is limited to; None for all."""
    owner: str
    reason: str
    compensating_control: str
    expires: dt.date
    """Last day on which the exception holds."""

    def holds(self, today: dt.date) -> bool:
        """Whether it still counts on *today*."""
        return today <= self.expires


class FileAccess(enum.Enum):
    """What kernels may do at a path, strictest first."""

    HIDDEN = "hidden"
    READ_ONLY = "read_only"
    READ_WRITE = "read_write"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRule:
    """What kernels see at one path."""

    path: str
    """Absolute, or below ``~/``."""
    access: FileAccess = FileAccess.HIDDEN
    owner: str = ""
    reason: str = ""
    expires: dt.date | None = None
    """Last day on which the entry opens something."""
    where: str = field(default="", compare=False)
    """File and line that it stands on."""


@dataclass(frozen=True, slots=True)
class AuditPolicy:
    """Where the trail lies and how long it is kept."""

    path: str | None = None
    """Absolute path of the folder; None for the state folder of the user."""
    retention_days: int | None = None
    """Whole checkpointed segments older than this many days are removed; None keeps all."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that one or more policy files say."""

    scan: ScanPolicy = ScanPolicy()
    classify: Mapping[str, Classification] = field(default_factory=dict)
    """Name of a kind of data that is no credential, to its class."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Name under ``classify`` to the team's own regular expression for it."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """Name under ``classify`` to the words shown with a finding."""
    egress: EgressPolicy = EgressPolicy()
    access: tuple[AccessEntry, ...] = ()
    exceptions: tuple[PolicyException, ...] = ()
    files: tuple[FileRule, ...] = ()
    audit: AuditPolicy = AuditPolicy()
    vaults: VaultsPolicy = field(default_factory=VaultsPolicy)


STARTER = Policy(egress=EgressPolicy(mode=Mode.OBSERVE))
"""In force where nobody wrote a policy: saves are enforced, egress is decided and recorded only."""

STRICTEST = Policy(
    scan=ScanPolicy(Mode.ENFORCE, Action.BLOCK, Action.BLOCK, Action.BLOCK, Action.BLOCK),
    egress=EgressPolicy(minimum_tier=Tier.NETNS),
)
"""In force where a policy was meant but cannot be trusted or understood: every finding blocks, no host is allowed."""
