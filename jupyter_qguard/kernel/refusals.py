"""What stands below a cell in which connections were refused: a line for each host, as clients' own errors say little."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import QGuardError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.kernel.channel import Channel

_SHOWN = 5
"""Hosts below one cell."""
_PATIENCE = 1.0
"""Seconds that a cell may be held up where the gateway was killed in between."""


def tell_refusals(channel: Channel) -> None:
    """Print what was refused since this was printed last. Called when a cell has run in which something was."""
    try:
        told = channel.ask("refusals", patience=_PATIENCE)
    except QGuardError as error:
        print(f"qguard: connections were refused; {error}", file=sys.stderr)  # noqa: T201 - below the cell
        return
    for line in lines(told):
        print(line, file=sys.stderr)  # noqa: T201 - below the cell


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The lines for an answer to ``refusals``."""
    refusals = told.get("refusals", [])
    for each in refusals[:_SHOWN]:
        yield _line(each, told.get("policy", []))
    more = len(refusals) - _SHOWN + told.get("more", 0)
    if more > 0:
        yield f"qguard: and {more} more connections to other hosts were refused"


def short_reason(reason: str, host: str) -> str:
    """*reason* for a line that begins with *host* and ends with how to ask."""
    return reason.removeprefix(f"`{host}` is ").partition(": ask ")[0]


def _line(refusal: dict[str, Any], policy: list[str]) -> str:
    host, port = refusal["host"], refusal["port"]
    rule = refusal["rule"] or ", ".join(os.path.basename(each) for each in policy)  # noqa: PTH119 - as in the extension
    because = f"{short_reason(refusal['reason'], host)} ({rule})"
    if not host:
        return f"qguard: refused a connection — {because}"
    where = f"{host}:{port}" if port else host
    times = f" {refusal['count']} times" if refusal["count"] > 1 else ""
    return f"qguard: refused {where}{times} — {because}. See %qguard explain {where.removesuffix(':443')}"
