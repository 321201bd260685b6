"""The records of the vendor catalogue. Data only: what a vendor's credentials look like and where they go.

One YAML file per vendor under ``vendors/``; unknown keys are errors. ``docs/reference/catalogue.md`` explains each
field.
"""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

SeverityName = Literal["critical", "high", "medium", "low", "info"]
"""The scanner's severities by their labels: the catalogue lies below the scanner and cannot use its type."""


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A strict, immutable record."""


class Basis(enum.Enum):
    """How well a fact is known."""

    DOCUMENTED = "documented"
    SDK = "sdk"
    OBSERVED = "observed"
    CONTEXT_ONLY = "context_only"


class Call(_Record, frozen=True, kw_only=True):
    """A call of the vendor's SDK that takes the credential.

    ``name`` is the dotted tail as users write it (``IBMQ.save_account``, ``IonQProvider``): it matches a call whose
    dotted name equals it or ends with it behind a dot.
    """

    name: str
    position: int | None = None
    """Index of the positional argument that is the credential, from 0; None where it must be named."""
    arguments: tuple[str, ...] = ()
    """Keyword arguments of this call that are the credential."""


class Header(_Record, frozen=True, kw_only=True):
    """How the credential stands in an HTTP header or cookie: ``Authorization: Bearer VALUE``."""

    name: str
    """Header name; ``Cookie:NAME`` for a cookie."""
    scheme: str = ""
    """The word before the value, with its own separator if that is not a space (``oqcs_auth=``)."""


class Rule(_Record, frozen=True, kw_only=True):
    """One kind of credential (or, where ``secret`` is false, of identifier) and what gives it away."""

    id: str
    """``vendor-kind`` in kebab case, unique in the catalogue; the rule id that users see."""
    name: str
    description: str
    """What was found, and what someone who has it can do. One or two sentences."""
    basis: Basis
    severity: SeverityName = "critical"
    secret: bool = True
    classification: str = ""
    """For what is no secret: the key under the policy's ``classify`` that covers it."""
    shape: str | None = None
    """Regular expression of the whole value: no anchors, groups only ``(?:…)``, no look-around. None if it has none."""
    boundary: str = "A-Za-z0-9_"
    """Inside of a character class: what may not stand directly before or after the shape."""
    unique: bool = False
    """True where the shape alone is proof: a prefix or structure that nothing else has."""
    arguments: tuple[str, ...] = ()
    """Keyword arguments, attributes, JSON or INI keys that hold it, near this vendor's words."""
    calls: tuple[Call, ...] = ()
    variables: tuple[str, ...] = ()
    """Environment variables that hold it: proof by themselves."""
    headers: tuple[Header, ...] = ()
    examples: tuple[str, ...]
    """Texts in which the rule must find exactly what stands between ``«`` and ``»`` (the marks are taken out first)."""
    counterexamples: tuple[str, ...] = ()
    """Texts in which this rule must find nothing."""
    references: tuple[str, ...] = ()


class Sdk(_Record, frozen=True, kw_only=True):
    """A client package of the vendor."""

    pypi: str | None = None
    imports: tuple[str, ...] = ()
    note: str = ""


class Environment(_Record, frozen=True, kw_only=True):
    """The vendor's environment variables by what they do."""

    secret: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    danger: tuple[str, ...] = ()
    """Variables that redirect or weaken the SDK: refused in kernels unless the guard sets them."""


class CredentialFile(_Record, frozen=True, kw_only=True):
    """A file in which the vendor's tools keep credentials."""

    path: str
    format: str
    keys: tuple[str, ...] = ()
    """Where in the file the secrets are."""
    plaintext: bool = True


class Protocol(enum.Enum):
    """What is spoken at a host."""

    HTTPS = "https"
    HTTP = "http"
    GRPC = "grpc"
    WSS = "wss"
    TCP = "tcp"


class HostRole(enum.Enum):
    """What a host is for."""

    API = "api"
    AUTH = "auth"
    RESULTS = "results"
    WEB = "web"
    TELEMETRY = "telemetry"


class Host(_Record, frozen=True, kw_only=True):
    """A host that the vendor's SDKs dial. ``{region}`` and the like mark what varies."""

    host: str
    role: HostRole
    port: int = 443
    protocol: Protocol = Protocol.HTTPS
    note: str = ""


class OperationClass(enum.Enum):
    """What an operation does, as the policy names it."""

    INSPECT = "inspect"
    SUBMIT = "submit"
    READ_RESULTS = "read_results"
    MANAGE = "manage"
    AUTH = "auth"
    MINT = "mint"


class Operation(_Record, frozen=True, kw_only=True):
    """One request of the vendor's API."""

    does: OperationClass
    method: str
    """HTTP method, or ``GRPC``, ``GRAPHQL``."""
    path: str
    """Path with ``{name}`` for what varies; the operation's name for gRPC and GraphQL."""
    at: str = ""
    """Where it is: one of the vendor's hosts, as the catalogue spells it, or a role of them; empty for all of them."""
    open: bool = False
    """True where the vendor answers without a credential, and its clients ask without one."""
    job: str = ""
    """Where the answer to a ``submit`` names the job: a JSON pointer, or a header with its address."""
    note: str = ""


class WireForm(enum.Enum):
    """Where on the wire the credential stands."""

    HEADER = "header"
    COOKIE = "cookie"
    FORM = "form"
    JSON = "json"
    GRAPHQL = "graphql"
    PATH = "path"
    QUERY = "query"
    SIGV4 = "sigv4"
    GRPC_METADATA = "grpc_metadata"
    BASIC = "basic"
    """Name and password in base64, behind ``Basic`` in a header."""
    SIGNATURE = "signature"


class Wire(_Record, frozen=True, kw_only=True):
    """How the credential authenticates a request."""

    form: WireForm
    name: str
    """Header, cookie, field or query name; the path template for ``path``."""
    scheme: str = ""
    credential: str = ""
    """Rule id of the credential that stands here, where the vendor has several."""
    swapped: bool = True
    """False where the vendor would take it and the broker never puts it: a long-lived key beside its token."""
    note: str = ""


class Custody(enum.Enum):
    """How a secret is held, strongest first."""

    BROKERED = "brokered"
    """The kernel holds a handle; the value goes on the wire outside of it."""
    SHORT_LIVED = "short_lived"
    """The kernel holds a value that ends within the hour."""
    SEALED = "sealed"
    """The kernel holds the value, in an object that shows it to the vendor's client only."""


class Exchange(_Record, frozen=True, kw_only=True):
    """A request in which the credential is exchanged for a token, so that the answer holds one too."""

    path: str
    """As the operation has it, which is a POST."""
    fields: dict[str, str] = {}
    """Form or JSON field of the request, to the rule id of the credential in it; none where it stands in a header."""
    returns: dict[str, str] = {}
    """Field of the JSON answer, to the rule id of the credential in it."""
    cookies: dict[str, str] = {}
    """Cookie that the answer sets, to the rule id of the credential in it."""
    keeps: tuple[str, ...] = ()
    """Fields of the answer that are passed on as they are; of all others only numbers and truth values are."""


class Brokering(_Record, frozen=True, kw_only=True):
    """How a kernel uses the vendor's credential without holding it."""

    custody: Custody = Custody.SEALED
    secrets: dict[str, str] = {}
    """Name of a secret in an access entry, to its rule id; the empty name is a lone ``secret``."""
    variables: dict[str, str] = {}
    """Environment variable of the vendor's SDK, to the name of the secret whose handle stands in it."""
    templates: dict[str, str] = {}
    """Environment variable, to a text with ``{setting}`` and ``{}`` for the handle of the variable's secret."""
    settings: dict[str, str] = {}
    """Setting of an access entry, to the environment variable that it stands in."""
    client: str = ""
    """The SDK's class that a person would make, as ``module:Class``; it takes everything from the variables."""
    length: int = 0
    """Of a handle, in characters, where clients look at it; 0 where they do not."""
    exchanges: tuple[Exchange, ...] = ()
    pinned: dict[str, str] = {}
    """Header of a request or ``{placeholder}`` of its path, to the setting that it must equal where the entry has it."""
    actions: dict[OperationClass, tuple[str, ...]] = {}
    """Of a short-lived session of AWS: the actions that each operation of an entry permits it."""
    limits: str = ""
    """What does not work with a handle; where nothing is brokered, why not. A sentence for the person who asks."""


class Telemetry(_Record, frozen=True, kw_only=True):
    """What the SDK reports home, and how to stop it."""

    hosts: tuple[str, ...] = ()
    opt_out: dict[str, str] = {}
    """Environment variables and the value that turns the reporting off."""
    note: str = ""


class Vendor(_Record, frozen=True, kw_only=True):
    """One vendor."""

    id: str
    name: str
    summary: str
    """One sentence: what it offers, and whether it is still in service."""
    words: tuple[str, ...]
    """Lower-case words that point to this vendor when they stand near an ambiguous value (SDK imports, product and
    host names); whole words, matched without regard to case."""
    sdks: tuple[Sdk, ...] = ()
    rules: tuple[Rule, ...]
    environment: Environment = Environment()
    files: tuple[CredentialFile, ...] = ()
    hosts: tuple[Host, ...] = ()
    operations: tuple[Operation, ...] = ()
    separable: bool = True
    """False where submit, inspect and read results cannot be told apart by method and path."""
    wire: tuple[Wire, ...] = ()
    brokering: Brokering = Brokering()
    telemetry: Telemetry = Telemetry()
    notes: str = ""
    sources: tuple[str, ...] = ()
    """Where the facts were read, with versions."""
