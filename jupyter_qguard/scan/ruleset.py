"""The project's own rules, indexed by what gives a credential away: variable, call, argument, header, shape, word."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Basis, Call, Rule
from jupyter_qguard.scan.finding import Classification, Severity
from jupyter_qguard.scan.names import Role, role, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_qguard.catalog.model import Vendor


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A rule of the catalogue (or a generic one) made ready for use."""

    id: str
    name: str
    message: str
    vendor: str | None
    severity: Severity
    classification: Classification
    label: str
    """Name under the policy's ``classify`` for what is no secret, else empty."""
    shape: re.Pattern[str] | None
    bounded: re.Pattern[str] | None
    """The shape with its boundary, for searching."""
    unique: bool
    password: bool
    documented_shape: bool
    """Whether a value of another shape cannot be this credential."""

    def fits(self, value: str) -> bool:
        """Whether the whole value has the rule's shape; True where it has none."""
        return self.shape is None or self.shape.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call that takes a rule's credential."""

    rule: OwnRule
    call: Call

    def matches(self, dotted: str) -> bool:
        """Whether a call written *dotted* is this one."""
        return dotted == self.call.name or dotted.endswith("." + self.call.name)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All own rules with their indices. Keys of ``arguments`` and ``headers`` are lower case."""

    rules: Mapping[str, OwnRule]
    variables: Mapping[str, OwnRule]
    arguments: Mapping[str, tuple[OwnRule, ...]]
    calls: Mapping[str, tuple[CallSite, ...]]
    """By the last part of the dotted name."""
    headers: Mapping[str, tuple[tuple[str, OwnRule], ...]]
    shapes: tuple[OwnRule, ...]
    """Rules whose shape is proof by itself."""
    ambiguous: tuple[OwnRule, ...]
    """Rules with a shape that other strings have too."""
    words: Mapping[str, str]
    """Lower-case word to vendor."""


GENERIC = (
    Rule(
        id="generic-credential",
        name="Credential",
        description="A value under a name that says credential. Whoever has it can act as its owner at the service it belongs to.",
        basis=Basis.CONTEXT_ONLY,
        severity="high",
        calls=(Call(name="login", position=0), Call(name="auth", position=1)),
        examples=(),
    ),
    Rule(
        id="generic-password",
        name="Password",
        description="A password in clear text. Whoever reads it can sign in as its owner.",
        basis=Basis.CONTEXT_ONLY,
        severity="high",
        calls=(
            Call(name="Password", position=0, arguments=("value",)),
            Call(name="HTTPBasicAuth", position=1),
            Call(name="HTTPDigestAuth", position=1),
            Call(name="BasicAuth", position=1),
        ),
        examples=(),
    ),
    Rule(
        id="authorization-header",
        name="Authorization header",
        description="The credential of an HTTP request. Whoever has it can send requests as its owner.",
        basis=Basis.CONTEXT_ONLY,
        severity="high",
        examples=(),
    ),
    Rule(
        id="credential-in-url",
        name="Credential in a URL",
        description="A URL that carries user and password (RFC 3986, userinfo). Whoever has it can sign in with them.",
        basis=Basis.DOCUMENTED,
        severity="high",
        examples=(),
    ),
    Rule(
        id="json-web-token",
        name="JSON Web Token",
        description="A signed token (RFC 7519). Until it expires, whoever has it can act as its owner.",
        basis=Basis.DOCUMENTED,
        severity="high",
        shape=r"eyJ[A-Za-z0-9_-]{8,}\.(?:eyJ|[A-Za-z0-9_-]{4})[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{10,}",
        boundary="A-Za-z0-9_",
        unique=True,
        examples=(),
    ),
    Rule(
        id="google-api-key",
        name="Google API key",
        description="A key of a Google Cloud project. Whoever has it can use the services it is enabled for, at the project's cost.",
        basis=Basis.DOCUMENTED,
        severity="high",
        shape=r"AIza[0-9A-Za-z_-]{35}",
        boundary="A-Za-z0-9_-",
        unique=True,
        examples=(),
    ),
    Rule(
        id="private-key",
        name="Private key",
        description="A private key in PEM form (RFC 7468). Whoever has it can sign and decrypt as its owner.",
        basis=Basis.DOCUMENTED,
        severity="critical",
        examples=(),
    ),
    Rule(
        id="nearby-credential",
        name="Probable credential",
        description="A random-looking value close to a word that says credential. It may be a key somebody printed.",
        basis=Basis.CONTEXT_ONLY,
        severity="medium",
        examples=(),
    ),
)


def load_ruleset() -> RuleSet:
    """Index the catalogue and the generic rules."""
    builder = _Builder()
    for rule in GENERIC:
        builder.add(rule, None)
    for vendor in load_catalog().vendors.values():
        for word in vendor.words:
            builder.words.setdefault(word.lower(), vendor.id)
        for rule in vendor.rules:
            builder.add(rule, vendor)
    return builder.build()


class _Builder:
    def __init__(self) -> None:
        self.rules: dict[str, OwnRule] = {}
        self.variables: dict[str, OwnRule] = {}
        self.arguments: defaultdict[str, list[OwnRule]] = defaultdict(list)
        self.calls: defaultdict[str, list[CallSite]] = defaultdict(list)
        self.headers: defaultdict[str, list[tuple[str, OwnRule]]] = defaultdict(list)
        self.words: dict[str, str] = {}

    def add(self, rule: Rule, vendor: Vendor | None) -> None:
        own = _own_rule(rule, vendor)
        self.rules[own.id] = own
        for variable in rule.variables:
            self.variables.setdefault(variable, own)
        for argument in rule.arguments:
            self.arguments[argument.lower()].append(own)
        for call in rule.calls:
            self.calls[call.name.rsplit(".", 1)[-1]].append(CallSite(own, call))
            for argument in call.arguments if vendor else ():
                if own not in self.arguments[argument.lower()]:
                    self.arguments[argument.lower()].append(own)
        for header in rule.headers:
            self.headers[header.name.removeprefix("Cookie:").lower()].append((header.scheme.strip().lower(), own))

    def build(self) -> RuleSet:
        own = self.rules.values()
        return RuleSet(
            rules=self.rules,
            variables=self.variables,
            arguments={name: tuple(rules) for name, rules in self.arguments.items()},
            calls={name: tuple(sites) for name, sites in self.calls.items()},
            headers={name: tuple(rules) for name, rules in self.headers.items()},
            shapes=tuple(rule for rule in own if rule.shape is not None and rule.unique and not rule.label),
            ambiguous=tuple(rule for rule in own if rule.shape is not None and not rule.unique and not rule.label),
            words=self.words,
        )


def _own_rule(rule: Rule, vendor: Vendor | None) -> OwnRule:
    shape = re.compile(rule.shape) if rule.shape else None
    bounded = re.compile(f"(?<![{rule.boundary}])(?:{rule.shape})(?![{rule.boundary}])") if rule.shape else None
    named = (*rule.arguments, *rule.variables)
    return OwnRule(
        id=rule.id,
        name=rule.name,
        message=rule.description,
        vendor=vendor.id if vendor else None,
        severity=Severity[rule.severity.upper()],
        classification=Classification.RESTRICTED if rule.secret else Classification.INTERNAL,
        label=rule.classification if not rule.secret else "",
        shape=shape,
        bounded=bounded,
        unique=rule.unique,
        password=bool(named) and all(role(name) is Role.PASSWORD for name in named)
        or "password" in words(rule.id.replace("-", "_")),
        documented_shape=rule.basis is not Basis.OBSERVED,
    )
