"""What a look at the raw bytes of a notebook looks for: what the scanner does, in the form that it has in raw JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.scan.matcher import Expression, in_raw_json
from jupyter_qguard.scan.spot import Pattern, Spot, patterns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.scan.ruleset import RuleSet

_BASE64 = r"(?:[A-Za-f][A-Za-z0-9+/_\-]{3}){4}[A-Za-z0-9+/_\-]{4}"
_ENCODED = (
    r"(?:%[0-9A-Fa-f]{2}[A-Za-z0-9_.~\-]{0,16}){8}|%(?:26|3F|3f)sig%3[Dd]|"
    r"(?:&#[xX]?[0-9A-Fa-f]{1,7};[A-Za-z0-9_+/.=~\-]{0,12}){3}|"
    r"(?: {1,4}(?:[xX]|[uU](?:0000)?00)[2-7][0-9A-Fa-f][A-Za-z0-9_+/.=~\-]{0,12}){3}"
)
_SHORT_NAMES = "auth authentication bearer oat pass pat psw pword sig signature webhook".split()
"""Names that say credential only as keys or in lists of strings, where the scanner takes them for labels."""
_SHORT_NAME = (
    rf"(?:[^a-z][bfnrt]?(?:{'|'.join(_SHORT_NAMES)})|{'|'.join(f'{name[0].upper()}(?i:{name[1:]})' for name in _SHORT_NAMES)})"
    r"(?:[A-Z0-9_\- ][A-Za-z0-9_\- ]{0,15})?\x22"
)
"""One of them, and not the end or the beginning of another word: *float*, *path*."""
_HIDING = "PasswordModel"
"""A widget that hides what it holds."""
_DOUBTFUL = r"\x22cell_type\x22\s*:\s*[^\x22\s]|: / /"
"""A cell that is malformed, and slashes written as escapes."""


def sought(rules: RuleSet) -> list[list[Pattern]]:
    """All of it, in groups: Hyperscan is faster with several small sets than with one."""
    found = list(_patterns(rules))
    apart = ((Spot.RUN,), (Spot.MARK, Spot.SHAPE))
    alone = [[pattern for pattern in found if pattern.spot in spots] for spots in apart]
    return [*alone, [pattern for pattern in found if not any(pattern.spot in spots for spots in apart)]]


def _patterns(rules: RuleSet) -> Iterable[Pattern]:
    for pattern in patterns(rules):
        if pattern.spot is Spot.RUN:
            continue
        expression = Expression(in_raw_json(pattern.expression.text), pattern.expression.caseless)
        yield Pattern(pattern.spot, expression, pattern.payload)
    yield Pattern(Spot.RUN, Expression(r"[^A-Za-z0-9+/_\-][bfnrt]?" + _BASE64))
    yield Pattern(Spot.NAME, Expression(_SHORT_NAME))
    yield Pattern(Spot.URL, Expression(_ENCODED))
    yield Pattern(Spot.URL, Expression(_HIDING))
    yield Pattern(Spot.DOUBT, Expression(_DOUBTFUL))
