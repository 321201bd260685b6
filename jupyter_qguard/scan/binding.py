"""Reads what is bound to a name in any text: code, configuration, headers, logs, reprs, tables of two columns.

Given the end of a credential word, :func:`read_binding` finds the whole name and the value that belongs to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jupyter_qguard.scan.value import BARE, read_value

LONGEST_NAME = 96
_IN_NAMES = "_-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_WORD_BEFORE = re.compile(r"([A-Za-z]{2,14})[ ]\Z")
_BETWEEN = re.compile(
    r"""(?:\\{0,4}["'`*_]{0,3}|&quot;|&\#39;)[ \t]{0,4}[\])}]{0,2}[ \t]{0,40}     # what closes the name
    (?:
        :\s*[A-Za-z_.\[\] |]{2,40}?=(?!=)                                     # annotation: token: str = …
      | (?:!?={1,3}|:=|=>|->|<-|:|,|[|│┃║]|=\\?>)                             # assignment, key, argument, table
      | \(\)[^\n]{0,40}:\s{1,40}return\b(?=[ ])                                  # def get_token(): return …
      | \t(?=[^\s])
      | &(?=[ ])                                                              # LaTeX table
      | >(?=[^<>\s"'])                                                        # <token>…</token>
      | \(                                                                    # set_token("…"
      | [ ](?:for|of|on|to|at|with|from)[ ][\w .'-]{1,40}?[ ](?:is|was)[ :]{1,2}
      | [ ]?(?:is|was|are|has|of|equals|to|set\ to|will\ be|value|in\ use)\ (?::\ ?)?
      | (?=[ \t]{1,40}[^\s])(?P<loose>)                                        # two columns, --token VALUE
    )(?(loose)[ \t]{1,40}(?:(?:str|bytes|object|string)[ \t]{2,40})?
      |\s{0,24}(?:\\r)?(?:\\n)?(?:[>|][+-]?[ \t]{0,4}\n)?\s{0,40})
    (?:\\[a-z]{4,8}\{|lambda[^:\n]{0,40}:\s{0,4})?""",
    re.VERBOSE,
)
_SCHEME = re.compile(
    r"(?:(?:bearer|basic|token|apikey|api-key|sdk|key|digest|jwt|negotiate|oauth|splunk|client-key)[ \t]+|oqcs_auth=)",
    re.IGNORECASE,
)
_VALUE_KEY = re.compile(
    r"""\\{0,4}["']?\s{0,4}[,\s]\s{0,16}(?:[a-z-]{2,16}=\\{0,4}["'][^"'\n]{0,48}["']\s+){0,4}
    \\{0,4}["']?(?:value|val|default|data|content)\\{0,4}["']?\s{0,4}[=:]\s{0,8}""",
    re.IGNORECASE | re.VERBOSE,
)
"""Name and value as members of their own: ``{"name": "X", "value": …}``, ``<input name="X" value=…>``."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A name and the value bound to it, as offsets of the text."""

    name: str
    name_start: int
    start: int
    end: int
    quoted: bool
    scheme: str
    """Authentication scheme before the value, lower case, or empty."""
    called: bool
    """Whether the name is a function and the value its argument."""
    sign: str = ""
    """What stands between name and value, without quotes and blanks: ``=``, ``:``, ``->``; ``--`` for an option; empty for blanks alone."""


def read_binding(text: str, low: int, high: int, end: int) -> Binding | None:
    """The binding whose name holds the word that ends at *end*, within ``text[low:high]``; None if there is none."""
    start, name_end = name_span(text, low, high, end)
    name = text[start:name_end]
    value_key = _VALUE_KEY.match(text, name_end, high)
    between = _BETWEEN.match(text, name_end, high)
    if value_key is None and (between is None or text[max(start - 2, low) : start] == "</"):
        return None
    if _is_field(text, low, start, name_end) or (start - 3 >= low and text[start - 3 : start] == "://"):
        return None
    called = value_key is None and between is not None and between.group().rstrip()[-1:] == "("
    at = value_key.end() if value_key else between.end() if between else name_end
    value = read_value(text, at, high, quoted_only=called, ends=_ENDS if "pass" in name.lower() else _ENDS + "!?")
    if value is None or (value_key is None and _is_listed(text, low, high, (start, name_end), value)):
        return None
    low_value, high_value, quoted = value
    if not quoted and f"{name}=" in text[low_value:high_value]:
        return None  # sed 's/^NAME=.*/NAME=value/': the second one is bound
    if not quoted and text[high_value - 1] == "/" and _SUBSTITUTE.search(text, max(low, start - 96), start):
        high_value -= 1
    scheme = scheme_end(text, low_value, high_value if quoted else high)
    marked = ""
    if scheme:
        rest = BARE.match(text, scheme, high_value if quoted else high)
        if rest:
            marked = text[low_value:scheme].strip().lower()
            low_value, high_value = rest.span()
    sign = between.group().strip(" \t\"'`*") if between and not value_key else ":"
    if not sign and text[max(start - 2, low) : start] == "--":
        sign = "--"
    return Binding(name, start, low_value, high_value, quoted, marked, called, sign)


_FOLDER = re.compile(r"\$[({]?pwd\b(?![\\\"'})\]]{0,4} {0,4}=)", re.IGNORECASE)
_ENDS = ".:*_"
_SUBSTITUTE = re.compile(r"\bs/[^\n]{1,90}/\Z")
_LATEX = re.compile(r"\\[a-z]{2,12}\{\Z")


def _is_field(text: str, low: int, start: int, end: int) -> bool:
    """Whether the name is a replacement field: what follows it is the text around the field."""
    braced = start > low and text[start - 1] == "{" and text[end : end + 1] == "}"
    return braced and _LATEX.search(text, max(low, start - 16), start) is None


_STRING_BEFORE = re.compile(r"""["']\\{0,4}\s{0,8},\s{0,8}\\{0,4}["']\\{0,4}\Z""")
_COMMA = re.compile(r"""\\{0,4}["']\s{0,8},\s{0,8}\\{0,4}["']""")


def _is_listed(text: str, low: int, high: int, name: tuple[int, int], value: tuple[int, int, bool]) -> bool:
    """Whether name and value are two of many strings in a list: neighbours there say nothing of one another.

    ``["run", "--token", "…", "-v"]`` is another case: an option names the string after it.
    """
    start, end = name
    if not value[2] or text[start - 1 : start] == "-" or _COMMA.match(text, end, high) is None:
        return False
    before = _STRING_BEFORE.search(text, max(low, start - 32), start)
    return before is not None and _COMMA.match(text, value[1], high) is not None


def scheme_end(text: str, low: int, high: int) -> int:
    """Where the value begins behind an authentication scheme (``Bearer …``) at *low*; 0 if there is none."""
    match = _SCHEME.match(text, low, high)
    return match.end() if match else 0


def name_span(text: str, low: int, high: int, end: int) -> tuple[int, int]:
    """The whole name that holds the word ending at *end*; an empty span within a run too long to be a name."""
    right = text[end : min(high, end + LONGEST_NAME + 1)]
    name_end = end + len(right) - len(right.lstrip(_IN_NAMES))
    start = _name_start(text, low, end, name_end)
    return (start, name_end) if name_end - start <= LONGEST_NAME else (end, end)


def is_working_folder(text: str, low: int, start: int) -> bool:
    """Whether the name at *start* is the shell's working folder, ``$PWD`` or ``$(pwd)``, and nothing is assigned to it."""
    sign = text.rfind("$", max(low, start - 2), start)
    return sign >= 0 and _FOLDER.match(text, sign) is not None


def _name_start(text: str, low: int, end: int, name_end: int) -> int:
    """Start of the name around *end*; words apart by a blank (``API key``) are taken as one name."""
    left = text[max(low, end - LONGEST_NAME) : end]
    start = end - len(left) + len(left.rstrip(_IN_NAMES + "."))
    if start > low and text[start - 1] == "\\" and text[start : start + 1] in "nrt":
        start += 1
    while start < end and text[start] in "-.":
        start += 1
    word = _WORD_BEFORE.search(text, max(low, start - 16), start)
    return word.start(1) if word and text[start:name_end].lower() in ("key", "token", "string", "secret") else start
