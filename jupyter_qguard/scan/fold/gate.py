"""Tells in microseconds whether folding a cell could give anything, so that most cells are never parsed.

The patterns name every form that the fold follows. They may say yes to a cell in vain, and never no to one in which
the fold would find something; the tests hold them to that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_qguard.scan.fold.constant import Names

_PREFIX = r"(?:\b[rRbBuUfF]{1,2})?"
_QUOTE = _PREFIX + r"[\"']"
_PLAIN = r"(?:(?:\b[rRbBuU]{1,2})?[\"']|\b[fF][rR]?[\"'][^\"'{\r\n]*[\"'])"
_BREAK = r"(?:\\\r?\n\s*)?"
_GAP = r"(?:\s|\\\r?\n|#[^\r\n]*\n)*"
_ARGUMENT = (
    r"(?![ \t]+\w+[ \t]*=[ \t]*(?:\b[rRbBuUfF]{1,2})?(?:\"[^\"\r\n]*\"|'[^'\r\n]*')[ \t]*"
    r"(?:[,)]|(?:#[^\r\n]*)?[\r\n]+[ \t]*\)))"
)
"""Does not match a keyword argument on a line of its own."""

_NEIGHBOURS = re.compile(
    r"(?<![\s=(,\[{:+%\"'\\])[\"']" + _GAP + _PREFIX + r"(?:\"(?!\")|'(?!'))|"
    r"(?<![\"'])[\"']" + _GAP + _PREFIX + r"[\"'](?=[^\"',)\]}\s:;.+%=!])"
)
"""Two literals with nothing between. Either there is text directly before the gap, or directly after it."""
_OPERATED = re.compile(
    r"[\"'][\s)]*" + _BREAK + r"(?:(?:\+|\*|\.\.|&|<>)" + _GAP + _BREAK + r"[\s(\[{]*(?:" + _QUOTE + r"|\d|str\b|\\)|"
    r"%[\s(\[{]*(?:" + _QUOTE + r"|\d|dict\b|\\)|\[|"
    r"\.\s*(?:join\s*\(\s*(?:[\[({*]|" + _QUOTE + r"|\w+(?:\.\w+)*\s*\(|[^()\r\n]*\bfor\b)|"
    r"format\s*\(\s*(?:\w+\s*=\s*)?(?:" + _QUOTE + r"|[\d\[({*])|(?!join\b|format\b)\w))|"
    r"[\d)\]][\s(]*\*" + _GAP + _QUOTE + r"|"
    r"[,:]\s*" + _QUOTE + r"[^\"'\r\n]*[\"']\s*[\]}]\s*(?:\[|\.\s*get\b)"
)
"""An operator, index or method at a literal, with something that may be constant on the other side."""
_BOUND = re.compile(
    r"(?:^"
    + _ARGUMENT
    + r"|[;:])[^\r\n(=#\"']*(?:\[[^\]\r\n]*\][^\r\n(=#\"']*)*(?<![=!<>])=(?!=)(?:[\w.,\s\[\]*]*=(?!=))*"
    r"[\s(]*" + _BREAK + r"(?:" + _PLAIN + r"|dict\s*\(|"
    r"[\[({](?:[^\[\](){}\"'#]|#[^\r\n]*[\r\n]|\([^()\"']*\)|\[[^\[\]\"']*\]|[\[({])*?" + _PLAIN + r"|"
    r"[\w.]+\s*,[^=\r\n]*" + _PLAIN + r")",
    re.MULTILINE,
)
"""An assignment of a literal, or of a container that holds one."""
_ESCAPE = re.compile(r"\\(?:[xuUN0-7'\"]|\r|\n)")
_WRITTEN_BREAK = re.compile(r"\\[abfnrtv\\]")
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_.~-]{16}")
_GROUPED = re.compile(r"(?:[=:,\[]|\b(?:or|else|return|in|and|if))\s*\([\s(]*(?:#[^\r\n]*[\r\n]\s*)*" + _QUOTE)
_ALTERNATIVE = re.compile(r"\b(?:or|else|return|and)\b[\s(]*" + _QUOTE)
_EXPANDED = re.compile(r"\*\*\s*(?:\{|dict\b)")
_DEFAULT = re.compile(
    r"\bdef\s+\w+\s*\((?:[^\"':]|:(?!\s*[\r\n]))*=\s*\(*" + _QUOTE + r"|\blambda\b[^\"'\r\n]*=\s*\(*" + _QUOTE
)
_TELLING_WORDS = tuple(
    "getenv environ putenv setattr setdefault __setitem__ .update bytes( bytearray( fromhex unhexlify chr( b64decode"
    " b32decode b16decode b85decode a85decode a2b_ decodebytes dedent codecs str.join paste( paste0( := %env"
    " %set_env".split()
)
_CALLED = re.compile(r"\b(?:str|string|concat|Concat|strcat|map|format|list|tuple|reversed|zip)\s*\(\s*[bB]?[\"'(\[]")
_FORMATTED = re.compile(r"\b(?:[fF][rR]?|[rR][fF])[\"']")
_FIELD = re.compile(r"\{\s*(?:[^{}\"'\r\n]*[\"']|\d)")
_CODES = re.compile(r"=\s*[(\[]\s*(?:(?:0[xX][0-9a-fA-F]+|\d{1,7})\s*,\s*){7}")
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")


def needs_folding(source: str, names: Names | None = None) -> bool:
    """Whether :func:`fold_cell` could replace or bind anything in *source*.

    *names* are those that earlier cells bound; without them every cell that uses a name may need folding.
    """
    if names is None:
        return _WORD.search(source) is not None or is_telling(source)
    return is_telling(source) or mentions(source, names)


def mentions(source: str, names: Names) -> bool:
    """Whether any of *names* stands in *source*."""
    return bool(names) and not names.keys().isdisjoint(_WORD.findall(source))


def is_telling(source: str) -> bool:
    """Whether the source has one of the forms that the fold follows without knowing any name."""
    if any(word in source for word in _TELLING_WORDS):
        return True
    if '"' not in source and "'" not in source:
        return _CODES.search(source) is not None
    if "\\" in source and (_ESCAPE.search(source) or (_WRITTEN_BREAK.search(source) and _LONG_WORD.search(source))):
        return True
    if any(pattern.search(source) for pattern in (_BOUND, _OPERATED, _NEIGHBOURS, _GROUPED, _ALTERNATIVE)):
        return True
    if ("**" in source and _EXPANDED.search(source)) or (
        ("def " in source or "lambda" in source) and _DEFAULT.search(source)
    ):
        return True
    if _CALLED.search(source) or _CODES.search(source):
        return True
    return _FORMATTED.search(source) is not None and _FIELD.search(source) is not None
