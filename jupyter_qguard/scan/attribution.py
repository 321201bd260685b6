"""Says which rule a named value falls under, and whether the value is strong enough for that name."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan import strength
from jupyter_qguard.scan.binding import Binding
from jupyter_qguard.scan.call import called_name, enclosing_call
from jupyter_qguard.scan.finding import Confidence
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from jupyter_qguard.scan.buffer import Segment
    from jupyter_qguard.scan.ruleset import OwnRule, RuleSet

Attributed = tuple["OwnRule", Confidence, int]


class Weight(enum.IntEnum):
    """How good the grounds are: of two findings that overlap, the one of more weight stays."""

    NEARBY = 10
    UPSTREAM_GENERIC = 20
    NAMED = 25
    URL = 30
    SHAPE_NEAR = 32
    HEADER = 35
    UPSTREAM = 40
    GENERAL_SHAPE = 42
    VENDOR_ARGUMENT = 45
    SHAPE = 50
    DIRECT = 60


_IDENTIFIER = re.compile(r"[A-Za-z_$][\w.]*\Z")
_FILE = re.compile(
    r".*\.(?:py|ipynb|json|ya?ml|toml|txt|csv|pem|key|env|ini|cfg|html?|md|png|jpe?g|h5|pkl|pt|bin|gz|zip)\Z"
)
_ANYBODYS = ("bearer", "basic", "token", "")
"""Authentication schemes that say nothing of whose the credential is."""
_NO_TOKEN = frozenset("|@(){}<>,;")
"""Characters of lists, calls and addresses. Passwords may have them, what a machine issued has not."""
_AUTHORIZATION = frozenset(("authorization", "proxy-authorization", "bearer"))


class Form(enum.Enum):
    """How a named value is written: the less that says of it, the more is asked of the value."""

    BESIDE = enum.auto()
    """Behind a blank."""
    BARE = enum.auto()
    """Behind a sign."""
    QUOTED = enum.auto()
    COLUMN = enum.auto()
    """Below a heading of that name."""


class Attribution:
    """Maps names and values to rules."""

    def __init__(self, rules: RuleSet) -> None:
        """Keep the indices at hand."""
        self._rules = rules
        self._generic = rules.rules["generic-credential"]
        self._password = rules.rules["generic-password"]
        self._header = rules.rules["authorization-header"]

    def of_binding(
        self,
        text: str,
        segment: Segment,
        binding: Binding,
        meaning: Role,
        unit_vendors: AbstractSet[str],
        vendors: AbstractSet[str],
    ) -> Attributed | None:
        """The rule for a value bound to a name in text, None if it is no secret."""
        name = binding.name.rsplit(".", 1)[-1]
        value = text[binding.start : binding.end]
        direct = self._direct(text, segment, binding, name, value, unit_vendors)
        if direct is not None:
            return direct
        # In code a bare word is an expression, but for NAME=value as shells and settings files have it.
        assigned = binding.sign in ("=", ":") and meaning is not Role.WEAK
        written = binding.quoted or (assigned and (segment.kind != Kind.CODE or name.isupper()))
        form = Form.QUOTED if written else Form.BARE if binding.sign else Form.BESIDE
        return self._named(name, value, meaning, unit_vendors, vendors, form, binding.scheme)

    def of_label(
        self,
        label: str,
        value: str,
        meaning: Role,
        unit_vendors: AbstractSet[str],
        vendors: AbstractSet[str],
        *,
        column: bool = False,
    ) -> Attributed | None:
        """The rule for a value named by its key, or by the heading of its *column*, which asks for more."""
        rule = self._of_variable(label, value)
        if rule is not None and self.is_plausible(value, rule):
            return rule, Confidence.HIGH, Weight.DIRECT
        form = Form.COLUMN if column else Form.QUOTED
        return self._named(label, value, meaning, unit_vendors, vendors, form, "")

    def _direct(
        self,
        text: str,
        segment: Segment,
        binding: Binding,
        name: str,
        value: str,
        unit_vendors: AbstractSet[str],
    ) -> Attributed | None:
        rule = self._of_variable(name, value) or self._of_variable(name.lstrip("$"), value)
        if rule is not None:
            return (rule, Confidence.HIGH, Weight.DIRECT) if self.is_plausible(value, rule) else None
        headed = self._of_header(name.lower(), binding.scheme, value, unit_vendors)
        if headed is not None:
            return headed
        if not binding.quoted:
            return None
        dotted = enclosing_call(text, segment.start, binding.name_start)
        if binding.called:
            dotted = called_name(text, segment.start, text.find("(", binding.name_start))
        sites = self._rules.calls.get(dotted.rsplit(".", 1)[-1], ()) if dotted else ()
        taking = [site.rule for site in sites if site.matches(dotted) and name in site.call.arguments]
        best = self.best(taking, value, unit_vendors)
        return (best, Confidence.HIGH, Weight.DIRECT) if best else None

    def best(self, rules: Iterable[OwnRule], value: str, vendors: AbstractSet[str]) -> OwnRule | None:
        """Of rules of one place the one that is meant, None if the value can be none of them."""
        return _best([rule for rule in rules if self.is_plausible(value, rule)], value, vendors)

    def _of_variable(self, name: str, value: str) -> OwnRule | None:
        """The rule of an environment variable; of two vendors' rules the one whose shape the value has."""
        return _best(self._rules.variables.get(name, ()), value, frozenset())

    def _of_header(self, name: str, scheme: str, value: str, unit_vendors: AbstractSet[str]) -> Attributed | None:
        """The rule of a header with its scheme. Those that anybody uses are a vendor's where its words stand near."""
        owners = [owner for own, owner in self._rules.headers.get(name, ()) if own == scheme]
        if scheme not in _ANYBODYS:
            best = self.best(owners, value, unit_vendors)
            return (best, Confidence.HIGH, Weight.DIRECT) if best else None
        if scheme or name in _AUTHORIZATION:
            owners = [owner for owner in owners if owner.vendor in unit_vendors]
        best = self.best([owner for owner in owners if owner.fits(value)], value, unit_vendors)
        return (best, Confidence.MEDIUM, Weight.VENDOR_ARGUMENT) if best else None

    def _named(
        self,
        name: str,
        value: str,
        meaning: Role,
        unit_vendors: AbstractSet[str],
        vendors: AbstractSet[str],
        form: Form,
        scheme: str,
    ) -> Attributed | None:
        rule = self._of_argument(name, value, unit_vendors) or self._of_argument(name, value, vendors)
        strong = self.is_strong(value, meaning, quoted=form in (Form.QUOTED, Form.COLUMN))
        own = rule is not None and rule.vendor in unit_vendors
        enough = strong or (own and form is Form.QUOTED) or strength.is_uuid(value)
        if rule is not None and enough and self.is_plausible(value, rule):
            return rule, Confidence.MEDIUM, Weight.VENDOR_ARGUMENT
        if scheme or name.lower() in _AUTHORIZATION:
            if self.is_strong(value, Role.STRONG, quoted=True):
                return self._header, Confidence.MEDIUM, Weight.HEADER
            return None
        if not strong or (form is Form.BESIDE and meaning is not Role.PASSWORD and strength.is_uuid(value)):
            return None
        fitting = self.of_shape(value, unit_vendors, vendors)
        if fitting is not None and meaning is not Role.PASSWORD:
            return fitting, Confidence.MEDIUM, Weight.VENDOR_ARGUMENT
        generic = self._password if meaning is Role.PASSWORD else self._generic
        return generic, Confidence.MEDIUM, Weight.NAMED

    def _of_argument(self, name: str, value: str, vendors: AbstractSet[str]) -> OwnRule | None:
        """A rule that this name may hold near its vendor's words, or with one before it; a fitting shape goes first."""
        name = name.lower()
        fitting = [rule for rule in self._rules.arguments.get(name, ()) if rule.vendor in vendors and rule.fits(value)]
        if not fitting and "_" in name:
            head, _, rest = name.partition("_")
            vendor = self._rules.words.get(head)
            fitting = [
                rule for rule in self._rules.arguments.get(rest, ()) if rule.vendor == vendor and rule.fits(value)
            ]
        fitting.sort(key=lambda rule: (rule.shape is None, rule.id))
        return fitting[0] if fitting else None

    def of_shape(self, value: str, unit_vendors: AbstractSet[str], vendors: AbstractSet[str]) -> OwnRule | None:
        """A rule of one of *vendors* whose shape is exactly that of *value*; the unit's own vendors go first."""
        shapes = self._rules.ambiguous
        fitting = [rule for vendor in vendors if vendor in shapes for rule in shapes[vendor] if rule.fits(value)]
        fitting.sort(key=lambda rule: (rule.vendor not in unit_vendors, rule.id))
        return fitting[0] if fitting else None

    @staticmethod
    def is_plausible(value: str, rule: OwnRule) -> bool:
        """Whether a value in the vendor's own place can be the credential: little is asked of it."""
        if len(value) < 6 or any(char.isspace() for char in value):
            return False
        if _is_nothing(value) and not (rule.password and strength.is_about_something(value)):
            return False
        if rule.label or rule.password:
            return not rule.label and "(" not in value
        if rule.shape is not None and rule.fits(value):
            return strength.entropy(value) >= 2.0
        if strength.is_uuid(value) or strength.is_random(value, length=12):
            return True
        mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
        return len(value) >= 12 and mixed and strength.wordiness(value) < 0.7 and strength.entropy(value) >= 2.5

    @staticmethod
    def is_strong(value: str, meaning: Role, *, quoted: bool) -> bool:
        """Whether a value under a name that says credential is one: the weaker the name, the more is asked."""
        if any(char.isspace() for char in value):
            return False
        if _is_nothing(value) and not (meaning is Role.PASSWORD and strength.is_about_something(value)):
            return False
        if meaning is Role.PASSWORD:
            return _is_password(value, quoted=quoted)
        if not _NO_TOKEN.isdisjoint(value):
            return False
        if strength.is_uuid(value):
            return quoted or meaning is Role.STRONG
        if strength.is_random(value, length=16 if quoted or meaning is Role.STRONG else 20):
            return True
        if meaning is Role.STRONG:
            mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
            return len(value) >= 12 and mixed and strength.wordiness(value) < 0.45 and strength.entropy(value) >= 2.9
        return False


def _best(rules: Iterable[OwnRule], value: str, vendors: AbstractSet[str]) -> OwnRule | None:
    """Of rules that could all be meant, the one whose shape the value has, and whose vendor is spoken of."""

    def order(rule: OwnRule) -> tuple[bool, bool, bool]:
        return (not rule.fits(value), rule.vendor not in vendors, rule.shape is None)

    return min(rules, key=order, default=None)


def _is_nothing(value: str) -> bool:
    return (
        strength.is_placeholder(value)
        or strength.is_harmless(value)
        or _FILE.match(value) is not None
        or (
            _IDENTIFIER.match(value) is not None
            and strength.wordiness(value) > 0.6
            and not any(c.isdigit() for c in value)
        )
    )


def _is_password(value: str, *, quoted: bool) -> bool:
    if not 6 <= len(value) <= 128 or value.startswith(("$", "{", "<", "%", "/", "~")):
        return False
    classes = (
        any(char.islower() for char in value)
        + any(char.isupper() for char in value)
        + any(char.isdigit() for char in value)
        + any(not char.isalnum() and char not in "._-/ " for char in value)
    )
    plain_letters = len(value) >= 10 and strength.wordiness(value) < 0.45
    if not quoted:
        return len(value) >= 8 and "(" not in value and (classes >= 3 or (classes == 2 and plain_letters))
    return classes >= 2 and (any(char.isdigit() for char in value) or classes >= 3 or plain_letters)
