"""Says which rule a named value falls under, and whether the value is strong enough for that name."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

from jupyter_qguard.scan import strength
from jupyter_qguard.scan.binding import Binding, called_name, enclosing_call
from jupyter_qguard.scan.finding import Confidence
from jupyter_qguard.scan.fragment import Kind
from jupyter_qguard.scan.names import Role

if TYPE_CHECKING:
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
_AUTHORIZATION = frozenset(("authorization", "proxy-authorization", "bearer"))


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
        value: str,
        meaning: Role,
        unit_vendors: AbstractSet[str],
        vendors: AbstractSet[str],
    ) -> Attributed | None:
        """The rule for a value bound to a name in text, None if it is no secret."""
        name = binding.name.rsplit(".", 1)[-1]
        direct = self._direct(text, segment, binding, name, value)
        if direct is not None:
            return direct
        return self._named(name, value, meaning, unit_vendors, vendors, quoted=binding.quoted, scheme=binding.scheme)

    def of_label(
        self, label: str, value: str, meaning: Role, unit_vendors: AbstractSet[str], vendors: AbstractSet[str]
    ) -> Attributed | None:
        """The rule for a value named by its key or column."""
        rule = self._rules.variables.get(label)
        if rule is not None and self.is_plausible(value, rule):
            return rule, Confidence.HIGH, Weight.DIRECT
        return self._named(label, value, meaning, unit_vendors, vendors, quoted=True, scheme="")

    def _direct(self, text: str, segment: Segment, binding: Binding, name: str, value: str) -> Attributed | None:
        rule = self._rules.variables.get(name) or self._rules.variables.get(name.lstrip("$"))
        if rule is not None:
            return (rule, Confidence.HIGH, Weight.DIRECT) if self.is_plausible(value, rule) else None
        for scheme, owner in self._rules.headers.get(name.lower(), ()):
            if (
                scheme not in ("bearer", "basic", "token", "")
                and scheme == binding.scheme
                and self.is_plausible(value, owner)
            ):
                return owner, Confidence.HIGH, Weight.DIRECT
            if (
                not scheme
                and name.lower() not in _AUTHORIZATION
                and owner.fits(value)
                and self.is_plausible(value, owner)
            ):
                return owner, Confidence.MEDIUM, Weight.VENDOR_ARGUMENT
        if not binding.quoted:
            return None
        dotted = enclosing_call(text, segment.start, binding.name_start)
        if binding.called:
            dotted = called_name(text, segment.start, text.find("(", binding.name_start))
        for site in self._rules.calls.get(dotted.rsplit(".", 1)[-1], ()) if dotted else ():
            if site.matches(dotted) and name in site.call.arguments and self.is_plausible(value, site.rule):
                return site.rule, Confidence.HIGH, Weight.DIRECT
        return None

    def _named(
        self,
        name: str,
        value: str,
        meaning: Role,
        unit_vendors: AbstractSet[str],
        vendors: AbstractSet[str],
        *,
        quoted: bool,
        scheme: str,
    ) -> Attributed | None:
        rule = self._of_argument(name, value, unit_vendors) or self._of_argument(name, value, vendors)
        strong = self.is_strong(value, meaning, quoted=quoted)
        own = rule is not None and rule.vendor in unit_vendors
        enough = strong or (own and (quoted or strength.is_uuid(value)))
        if rule is not None and enough and self.is_plausible(value, rule):
            return rule, Confidence.MEDIUM, Weight.VENDOR_ARGUMENT
        if scheme or name.lower() in _AUTHORIZATION:
            if self.is_strong(value, Role.STRONG, quoted=True):
                return self._header, Confidence.MEDIUM, Weight.HEADER
            return None
        if not strong:
            return None
        fitting = self.of_shape(value, unit_vendors, vendors)
        if fitting is not None and meaning is not Role.PASSWORD:
            return fitting, Confidence.MEDIUM, Weight.VENDOR_ARGUMENT
        generic = self._password if meaning is Role.PASSWORD else self._generic
        return generic, Confidence.MEDIUM, Weight.NAMED

    def _of_argument(self, name: str, value: str, vendors: AbstractSet[str]) -> OwnRule | None:
        """A rule that this name may hold near its vendor's words; one whose shape fits goes before one without."""
        fitting = [
            rule for rule in self._rules.arguments.get(name.lower(), ()) if rule.vendor in vendors and rule.fits(value)
        ]
        fitting.sort(key=lambda rule: (rule.shape is None, rule.id))
        return fitting[0] if fitting else None

    def of_shape(self, value: str, unit_vendors: AbstractSet[str], vendors: AbstractSet[str]) -> OwnRule | None:
        """A rule of one of *vendors* whose shape is exactly that of *value*; the unit's own vendors go first."""
        fitting = [
            rule for rule in self._rules.ambiguous if rule.vendor in vendors and rule.fits(value) and not rule.label
        ]
        fitting.sort(key=lambda rule: (rule.vendor not in unit_vendors, rule.id))
        return fitting[0] if fitting else None

    @staticmethod
    def is_plausible(value: str, rule: OwnRule) -> bool:
        """Whether a value in the vendor's own place can be the credential: little is asked of it."""
        if len(value) < 6 or any(char.isspace() for char in value) or _is_nothing(value):
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
        if any(char.isspace() for char in value) or _is_nothing(value):
            return False
        if meaning is Role.PASSWORD:
            return _is_password(value, quoted=quoted)
        if strength.is_random(value, length=16 if quoted or meaning is Role.STRONG else 20):
            return True
        if meaning is Role.STRONG:
            mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
            if strength.is_uuid(value):
                return True
            return len(value) >= 12 and mixed and strength.wordiness(value) < 0.45 and strength.entropy(value) >= 2.9
        return quoted and strength.is_uuid(value)


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
