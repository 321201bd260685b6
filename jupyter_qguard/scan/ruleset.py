"""The project's own rules, indexed by what gives a credential away: variable, call, argument, header, shape, word."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jupyter_qguard._version import __version__
from jupyter_qguard.catalog import catalog_digest, load_catalog
from jupyter_qguard.catalog.model import Call, Rule, Vendor
from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.scan import cache
from jupyter_qguard.scan.finding import Classification, Severity
from jupyter_qguard.scan.names import Role, role, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BRACKET = re.compile(r"[()\[\]{}]")
ARGUMENTS = 1000
"""Characters of a call in which an argument is looked for."""


_GENERAL = "general.yaml"
_BESIDE_CODE = Path(__file__).with_name("__pycache__")
_SAYS_NOTHING = ("key", "value")
"""Names of arguments that mean a credential in their own call only."""


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
    shape: str | None
    boundary: str
    unique: bool
    password: bool

    @property
    def bounded(self) -> re.Pattern[str] | None:
        """The shape with its boundary, for searching."""
        if self.shape is None:
            return None
        return _compiled(f"(?<![{self.boundary}])(?:{self.shape})(?![{self.boundary}])")

    def fits(self, value: str) -> bool:
        """Whether the whole value has the rule's shape; True where it has none."""
        return self.shape is None or _compiled(self.shape).fullmatch(value) is not None


@functools.cache
def _compiled(text: str) -> re.Pattern[str]:
    """Most scans need few of the shapes, and compiling them all takes longer than a small scan."""
    return re.compile(text)


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
    variables: Mapping[str, tuple[OwnRule, ...]]
    arguments: Mapping[str, tuple[OwnRule, ...]]
    calls: Mapping[str, tuple[CallSite, ...]]
    """By the last part of the dotted name."""
    headers: Mapping[str, tuple[tuple[str, OwnRule], ...]]
    shapes: tuple[OwnRule, ...]
    """Rules whose shape is proof by itself."""
    ambiguous: Mapping[str, tuple[OwnRule, ...]]
    """By vendor: rules with a shape that other strings have too."""
    words: Mapping[str, str]
    """Lower-case word to vendor."""

    def meaning(self, name: str) -> Role:
        """What *name* says of the value bound to it, to the catalogue as well as to a reader."""
        if name in self.variables or name.lower() in self.headers:
            return Role.STRONG
        meaning = role(name)
        if meaning is Role.NONE and name.rsplit(".", 1)[-1].lower() in self.arguments:
            return Role.WEAK
        return meaning

    def sites(self, dotted: str) -> Iterator[CallSite]:
        """The calls that *dotted* may be."""
        return (site for site in self.calls.get(dotted.rsplit(".", 1)[-1], ()) if site.matches(dotted))

    def takes_credential(self, text: str, dotted: str, start: int) -> bool:
        """Whether a call of *dotted*, whose arguments start at *start*, has one that a credential may be given by."""
        given = text[start : _closing(text, start)]
        if not given.strip():
            return False
        return any(
            site.call.position is not None or "*" in given or any(name in given for name in site.call.arguments)
            for site in self.sites(dotted or "auth")
        )


def _closing(text: str, start: int) -> int:
    """Where the call ends whose arguments start at *start*, or as far as arguments are looked for."""
    depth = 0
    for match in _BRACKET.finditer(text, start, start + ARGUMENTS):
        depth += 1 if match.group() in "([{" else -1
        if depth < 0:
            return match.start()
    return start + ARGUMENTS


class Written(msgspec.Struct, frozen=True):
    """The rules as they are written: read from YAML and checked, which takes longer than to read them anew like this."""

    general: tuple[Rule, ...]
    vendors: tuple[Vendor, ...]


def written_rules() -> Written:
    """The catalogue, and ``rules/general.yaml``. Raises GuardFailureError if a file is broken."""
    from jupyter_qguard.catalog.document import Document  # noqa: PLC0415 - what is kept is read without YAML

    try:
        general = msgspec.convert(Document(_GENERAL, _general()).data, tuple[Rule, ...])
    except msgspec.ValidationError as error:
        message = f"{_GENERAL}: {error}"
        raise GuardFailureError(message) from None
    return Written(general, tuple(load_catalog().vendors.values()))


@functools.lru_cache(maxsize=1)
def load_ruleset() -> RuleSet:
    """Index the rules; read once per process."""
    builder = _Builder()
    written = checked_rules(_BESIDE_CODE)
    for rule in written.general:
        builder.add(rule, None)
    for vendor in written.vendors:
        for word in vendor.words:
            builder.words.setdefault(word.lower(), vendor.id)
        for rule in vendor.rules:
            builder.add(rule, vendor)
        builder.add_wire(vendor)
    return builder.build()


def checked_rules(folder: Path) -> Written:
    """What :func:`written_rules` gives, from *folder* if it was kept there.

    Who can change what is kept decides what is found. So it lies with the byte code: who can write there can change the
    code itself, and where others than its owner can, nothing is kept.
    """
    source = hashlib.sha256(f"1 {__version__} {catalog_digest()}".encode() + _general()).digest()
    path = folder / "checked.rules"
    trusted = cache.is_guarded(folder)
    kept = cache.read(path) if trusted else None
    if kept is not None and kept.startswith(source):
        with contextlib.suppress(msgspec.MsgspecError):
            return msgspec.msgpack.decode(memoryview(kept)[len(source) :], type=Written)
    written = written_rules()
    if trusted:
        cache.write(path, source + msgspec.msgpack.encode(written), mode=0o644)
    return written


def _general() -> bytes:
    return Path(__file__).with_name("rules").joinpath(_GENERAL).read_bytes()


class _Builder:
    def __init__(self) -> None:
        self.rules: dict[str, OwnRule] = {}
        self.variables: defaultdict[str, list[OwnRule]] = defaultdict(list)
        self.arguments: defaultdict[str, list[OwnRule]] = defaultdict(list)
        self.calls: defaultdict[str, list[CallSite]] = defaultdict(list)
        self.headers: defaultdict[str, list[tuple[str, OwnRule]]] = defaultdict(list)
        self.words: dict[str, str] = {}

    def add(self, rule: Rule, vendor: Vendor | None) -> None:
        own = _own_rule(rule, vendor)
        self.rules[own.id] = own
        for variable in rule.variables:
            self.variables[variable].append(own)
        for argument in rule.arguments:
            self.arguments[argument.lower()].append(own)
        for call in rule.calls:
            self.calls[call.name.rsplit(".", 1)[-1]].append(CallSite(own, call))
            for argument in call.arguments if vendor else ():
                if argument not in _SAYS_NOTHING and own not in self.arguments[argument.lower()]:
                    self.arguments[argument.lower()].append(own)
        for header in rule.headers:
            self.headers[header.name.removeprefix("Cookie:").lower()].append((header.scheme.strip().lower(), own))

    def add_wire(self, vendor: Vendor) -> None:
        """What goes into ``Authorization``, where the rule does not say so itself."""
        for wire in vendor.wire:
            own = self.rules.get(wire.credential)
            entry = (wire.scheme.strip().lower(), own) if own else None
            if entry and wire.name.lower() == "authorization" and entry not in self.headers["authorization"]:
                self.headers["authorization"].append(entry)

    def build(self) -> RuleSet:
        own = self.rules.values()
        ambiguous: defaultdict[str, list[OwnRule]] = defaultdict(list)
        for rule in own:
            if rule.vendor and rule.shape is not None and not rule.unique and not rule.label:
                ambiguous[rule.vendor].append(rule)
        return RuleSet(
            rules=self.rules,
            variables={name: tuple(rules) for name, rules in self.variables.items()},
            arguments={name: tuple(rules) for name, rules in self.arguments.items()},
            calls={name: tuple(sites) for name, sites in self.calls.items()},
            headers={name: tuple(rules) for name, rules in self.headers.items()},
            shapes=tuple(rule for rule in own if rule.shape is not None and rule.unique and not rule.label),
            ambiguous={vendor: tuple(rules) for vendor, rules in ambiguous.items()},
            words=self.words,
        )


def _own_rule(rule: Rule, vendor: Vendor | None) -> OwnRule:
    named = (*rule.arguments, *rule.variables)
    return OwnRule(
        id=rule.id,
        name=rule.name,
        message=rule.description,
        vendor=vendor.id if vendor else None,
        severity=Severity[rule.severity.upper()],
        classification=Classification.RESTRICTED if rule.secret else Classification.INTERNAL,
        label=rule.classification if not rule.secret else "",
        shape=rule.shape or None,
        boundary=rule.boundary,
        unique=rule.unique,
        password=(bool(named) and all(role(name) is Role.PASSWORD for name in named))
        or "password" in words(rule.id.replace("-", "_")),
    )
