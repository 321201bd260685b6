"""Names of files and folders: a secret in one stands in listings, logs and records, where nobody looks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyter_qguard.redact.text import first_mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_qguard.scan.finding import Finding

_TELLING = re.compile(r"[=:@%]|(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{10,}")
"""A value that is named, or encoded, or a run of letters and digits. Without any a name holds nothing that is found;
almost all names are without, and to scan one takes half a millisecond."""

_LINES = 3
"""For each part of a path in what is scanned."""


def may_hold_a_secret(path: str) -> bool:
    """Whether *path* is worth a scan."""
    return _TELLING.search(path) is not None


def text_of(path: str) -> str:
    """What is to be scanned of *path*: for each part a line with it, and more without its endings, which would be taken
    for a part of a value."""
    parts = path.replace("\n", " ").replace("\r", " ").split("/")
    return "\n".join(line for part in parts for line in (part, part.rpartition(".")[0], part.partition(".")[0]))


def masked(path: str, findings: Iterable[Finding]) -> str:
    """*path* without the parts in which something was found in its :func:`text_of`."""
    parts = path.split("/")
    for finding in findings:
        parts[(finding.line - 1) // _LINES] = first_mark(finding.rule_id)
    return "/".join(parts)
