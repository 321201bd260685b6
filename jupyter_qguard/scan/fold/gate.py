"""Tells in microseconds whether folding a cell could give anything, so that most cells are never parsed.

The patterns name every form that the fold follows. They may say yes to a cell in vain, and never no to one in which
the fold would find something; the tests hold them to that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.constant import Names

_QUOTE = r"(?:\b[rRbBuUfF]{1,2})?[\"']"
_BREAK = r"(?:\\\r?\n\s*)?"
_JOINED_BY_GAP = re.compile(r"[\"'](?:\s|\\\r?\n|#[^\r\n]*)*" + _QUOTE)
"""Neighbours. Also matches empty strings and triple quotes."""
_OPERATED = re.compile(
    r"[\"'][\s)]*" + _BREAK + r"(?:[+*%&.\[]|<>)|[+*%&.>][\s(]*" + _BREAK + _QUOTE + r"|[\"'][\s,)]*[\]}][\s)]*[\[.]"
)
"""An operator, index or method beside a literal or a container of them."""
_ESCAPE = re.compile(r"\\(?:[xuUN0-7'\"]|\r|\n)")
_WRITTEN_BREAK = re.compile(r"\\[abfnrtv\\]")
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_.~-]{16}")
_BOUND = re.compile(
    r"(?:^|[;:])[^\r\n(=#\"']*(?:\[[^\]\r\n]*\][^\r\n(=#\"']*)*(?<![=!<>])=(?!=)(?:[^\r\n=\"'#]*=(?!=))?[\s(\[{*]*"
    + _BREAK
    + r"(?:"
    + _QUOTE
    + r"|#|dict\s*\(|[\w.]+[ \t]*,|\d|\Z)",
    re.MULTILINE,
)
"""An assignment of a literal, or of a container that may hold one. Also matches arguments on lines of their own."""
_FORMS = re.compile(
    r"(?:[=:,\[]|\b(?:or|else|return|in|and|if))\s*\([\s(]*(?:#[^\r\n]*\s*)*" + _QUOTE + r"|"  # only grouped
    r"\b(?:or|else|return|and)\b[\s(]*" + _QUOTE + r"|"
    r":=|\*\*\s*(?:\{|dict\b)|"
    r"\b(?:getenv|environ|putenv|setattr|setdefault|__setitem__|update|chr|bytes|bytearray|fromhex|unhexlify)\b|"
    r"\b(?:a2b_\w+|\w*b64decode|b32decode|b16decode|[ab]85decode|decodebytes|dedent|str|string|paste0?|concat|Concat"
    r"|strcat|map|format|decode|encode)\s*\(\s*[bB]?[\"'(\[]|"
    r"\b(?:str|bytes|codecs)\s*\.|"
    r"\bdef\s+\w+\s*\((?:[^\"':]|:(?!\s*[\r\n]))*=\s*\(*" + _QUOTE + r"|"
    r"\blambda\b[^\"'\r\n]*=\s*\(*" + _QUOTE
)
_FORMATTED = re.compile(r"\b(?:[fF][rR]?|[rR][fF])[\"']")
_FIELD = re.compile(r"\{\s*(?:[^{}\"'\r\n]*[\"']|\d)")
_WITHOUT_QUOTES = re.compile(
    r"\b(?:chr|bytes|bytearray)\b|^[ \t]*%(?:set_)?env\b|=\s*[(\[]\s*(?:(?:0[xX][0-9a-fA-F]+|\d{1,7})\s*,\s*){7}",
    re.MULTILINE,
)
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")


def needs_folding(source: str, names: Names | None = None) -> bool:
    """Whether :func:`fold_cell` could replace or bind anything in *source*.

    *names* are those that earlier cells bound; without them every cell that uses a name may need folding.
    """
    if names is None:
        return _WORD.search(source) is not None or _is_telling(source)
    if names and not names.keys().isdisjoint(_WORD.findall(source)):
        return True
    return _is_telling(source)


def _is_telling(source: str) -> bool:
    """Whether the cell has one of the forms that the fold follows without knowing any name."""
    if _WITHOUT_QUOTES.search(source):
        return True
    if '"' not in source and "'" not in source:
        return False
    if "\\" in source and (_ESCAPE.search(source) or (_WRITTEN_BREAK.search(source) and _LONG_WORD.search(source))):
        return True
    if any(pattern.search(source) for pattern in (_BOUND, _OPERATED, _JOINED_BY_GAP, _FORMS)):
        return True
    return _FORMATTED.search(source) is not None and _FIELD.search(source) is not None
