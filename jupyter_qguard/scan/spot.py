"""Finds, in one pass over a text, every place worth a closer look: names, calls, shapes, words, random-looking runs.

The pass is Hyperscan's; the text is given to it with one byte a code point, so its offsets are ours.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from jupyter_qguard.scan.classify import SPOTTED
from jupyter_qguard.scan.matcher import Expression, Matcher, version_of
from jupyter_qguard.scan.names import Role, role, words_before_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_qguard.scan.buffer import Together
    from jupyter_qguard.scan.ruleset import OwnRule, RuleSet


class Spot(enum.IntEnum):
    """What a pattern marks."""

    RUN = 0
    NAME = 1
    CALL = 2
    SHAPE = 3
    WORD = 4
    URL = 5
    LABEL = 6
    MARK = 7
    DOUBT = 8
    """What only a look at raw bytes asks for: read all of the document."""


RUN = r"[A-Za-z0-9_+/\-]{16,}={0,2}[^A-Za-z0-9_+/=\-]"
_HEAD = r"[^A-Za-z0-9_+/\-](?:[A-Za-f][A-Za-z0-9_+/\-]{3}){4}"
"""What runs begin with that may be the base64 of a text."""
_RUN = Expression(RUN, with_start=True)
_NAMES = (
    r"token|api[\\ ]{0,2}[_\- ]?key|secret|passw|pwd|passphrase|passcode|credential|authorization|bearer|"
    r"(?:access|auth|account|shared|signing|master|service|subscription|storage|client|sdk|hub|license|encryption|"
    r"admin|app|deploy|project|user|private|secret|ibm|ibmq|ionq|iqm|dwave|leap|openai|hf)[\\ ]{0,2}[_\- ]?(?:key|pat|jwt|pass)|jwt|"
    r"connection[_\- ]?string|authenticat|x-ms-|[?&;]sig"
)
_MARKS = (
    r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|gh[pousr]_|github_pat|glpat|xox[abeoprs]|xapp-|[sr]k_(?:live|test)|sk-|hf_|ya29|eyJ|"
    r"ey0|AIza|npm_|pypi-|dop_v1|SG\.|shp[a-z]{2}_|qbr_|rings-|_T_|nvapi|302e0201|[A-Z]{2,4}-[0-9a-f]{4}|IQoJ|FwoG|"
    r"SubscriptionId=|AccountKey=|hooks\.slack|T3BlbkFJ|dapi|tskey)|-----BEGIN|[0-9]Q~|[?&]sig=|X-Amz-S"
)
_SHORTEST_NAME = 4
_BASIC_AUTH = r"://[^\s/:@'\x22<>]{0,64}:[^\s/@'\x22<>]{3,256}@[A-Za-z0-9\[]"


@dataclass
class Spots:
    """What one pass marked; positions ascend within each list."""

    find_runs: Callable[[], list[tuple[int, int]]] = list
    may_be_encoded: bool = False
    """Whether any of the runs could be the base64 of a text."""
    names: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    shapes: list[tuple[OwnRule, int]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    urls: list[int] = field(default_factory=list)
    labels: list[tuple[int, str]] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    """Beginnings that only credentials have, so that a secret in parts is not overlooked."""

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """Long runs of letters and digits. A pass of its own, which takes longer than all else, and few ask for it."""
        return self.find_runs()


@dataclass(frozen=True, slots=True)
class Pattern:
    """An expression, what it marks, and what a hit is told with."""

    spot: Spot
    expression: Expression
    payload: object = None


def patterns(rules: RuleSet) -> list[Pattern]:
    """Everything that is looked for in the one pass."""
    found = [
        Pattern(Spot.RUN, Expression(_HEAD)),
        Pattern(Spot.NAME, Expression(_NAMES, caseless=True)),
        Pattern(Spot.NAME, Expression(rf"(?:{'|'.join(sorted(words_before_key()))})[_\- ]?key", caseless=True)),
        Pattern(Spot.URL, Expression(_BASIC_AUTH, with_start=True)),
        Pattern(Spot.MARK, Expression(_MARKS)),
        Pattern(Spot.CALL, Expression(r"\bauth\s*=\s*\(")),
    ]
    found += [
        Pattern(Spot.NAME, Expression(rf"\b{_literal(name)}\b", caseless=True))
        for name in sorted({*rules.variables, *rules.arguments, *rules.headers})
        if len(name) > _SHORTEST_NAME and not re.search(_NAMES, name, re.IGNORECASE) and not _is_common(name)
    ]
    found += [Pattern(Spot.CALL, Expression(rf"\b{_literal(name)}\s*\(")) for name in rules.calls]
    found += [Pattern(Spot.SHAPE, Expression(f"(?:{rule.shape})"), rule) for rule in rules.shapes if rule.shape]
    found += [
        Pattern(Spot.WORD, Expression(rf"\b{_literal(word)}(?:\b|_)", caseless=True), vendor)
        for word, vendor in rules.words.items()
    ]
    found += [Pattern(Spot.LABEL, Expression(text), name) for name, text in SPOTTED.items()]
    return found


class Spotter:
    """The compiled patterns. One per thread."""

    def __init__(self, looked_for: list[Pattern], matcher: Matcher, runs: Matcher) -> None:
        """Use :meth:`load`."""
        self._meaning = [(pattern.spot, pattern.payload) for pattern in looked_for]
        self._matcher = matcher
        self._runs = runs

    @classmethod
    def load(cls, rules: RuleSet, folder: Path | None) -> Spotter:
        """Load the compiled patterns from *folder*, or compile them (most of a second) and keep them there."""
        looked_for = patterns(rules)
        return cls(looked_for, _load([each.expression for each in looked_for], folder), _load([_RUN], folder))

    def spot(self, data: bytes) -> Spots:
        """Mark *data*, which holds one byte per code point and ends with a line end."""
        spots = self._spots(data)
        for number, start, end in self._matcher.find(data):
            self._mark(spots, number, start, end)
        return spots

    def spot_each(self, together: Together) -> list[Spots]:
        """As :meth:`spot` for each of some texts, in one pass."""
        each = [self._spots(text) for text in together.texts]
        for number, start, end in self._matcher.find(together.data):
            text = together.text(end - 1)
            if text is not None:
                first = together.starts[text]
                self._mark(each[text], number, start - first, end - first)
        return each

    def _spots(self, data: bytes) -> Spots:
        return Spots(lambda: [(start, end - 1) for _, start, end in self._runs.find(data)])

    def _mark(self, spots: Spots, number: int, start: int, end: int) -> None:
        spot, payload = self._meaning[number]
        if spot is Spot.RUN:
            spots.may_be_encoded = True
        elif spot is Spot.NAME:
            spots.names.append(end)
        elif spot is Spot.WORD:
            spots.words.append((end, str(payload)))
        elif spot is Spot.CALL:
            spots.calls.append(end)
        elif spot is Spot.MARK:
            spots.marks.append(end)
        elif spot is Spot.LABEL:
            spots.labels.append((end, str(payload)))
        elif spot is Spot.URL:
            spots.urls.append(start)
        else:
            spots.shapes.append((payload, end))  # type: ignore[arg-type]


def _load(expressions: list[Expression], folder: Path | None) -> Matcher:
    return Matcher.load(version_of(expressions), lambda: expressions, folder)


def _literal(text: str) -> str:
    return re.sub(r"([^A-Za-z0-9_])", r"\\\1", text)


def _is_common(name: str) -> bool:
    """Names that stand everywhere and mean a credential only inside of the vendor's own call."""
    return role(name) is Role.NONE and name.lower() in (
        "username email value login account user client_id clientid project_id instance config auth_type id_ "
        "settings credentials_file verify".split()
    )
