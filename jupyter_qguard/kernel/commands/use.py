"""``%qguard use REF``: has an access entry lent to this kernel, so that the vendor's own client works without its key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import UsageError
from jupyter_qguard.kernel.channel import the_channel

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE = "%qguard use REF       lend REF, such as ibm/prod, to this kernel: the vendor's client works without the key"
_PATIENCE = 60.0
"""Seconds: a vault may be slow, and be asked twice."""
_CUSTODIES = {
    "brokered": "brokered: this kernel holds a handle, and the key goes on the wire outside of it",
    "short_lived": "short-lived: the key stays outside; this kernel gets sessions that end by themselves in 15 minutes",
    "sealed": "sealed: this kernel holds the value, out of sight",
}
_set: dict[str, dict[str, str]] = {}
"""Variables that are set now, by entry: to be taken back at the end."""


def run(words: str) -> None:
    """Print for whom, until when, and how the key is held."""
    if not words or " " in words:
        raise UsageError("write one access entry, as in `%qguard use ibm/prod`")
    print("\n".join(_lines(ask(words))))  # noqa: T201 - what is asked for


def ask(name: str) -> dict[str, Any]:
    """Have *name* lent, and set the vendor's variables. Raises NotDoneError, NoChannelError, NoAnswerError."""
    granted = the_channel().ask("use", patience=_PATIENCE, name=name)
    variables: dict[str, str] = granted["variables"]
    if granted["custody"] == "short_lived":
        from jupyter_qguard.kernel.sessions import serve  # noqa: PLC0415 - a server, which few kernels need

        variables.update(serve(name))
    for other in _set.values():  # whose variables these were: the last one has them
        for variable in variables:
            other.pop(variable, None)
    _set[name] = variables
    os.environ.update(variables)
    return granted


def give_back(name: str) -> None:
    """Take the variables of *name* back, where they still are what was set."""
    for variable, value in _set.pop(name, {}).items():
        if os.environ.get(variable) == value:
            del os.environ[variable]


def _lines(granted: dict[str, Any]) -> Iterator[str]:
    yield f"{granted['name']} is lent to this kernel until {granted['until']}"
    yield f"  vendor       {granted['vendor']}, {granted['environment']}, owner {granted['owner']}"
    yield f"  purpose      {granted['purpose']}"
    yield f"  may          {', '.join(granted['operations'])}"
    yield f"  custody      {_CUSTODIES.get(granted['custody'], granted['custody'])}"
    yield f"  variables    {', '.join(sorted(granted['variables'])) or 'none'}"
    if granted["notice"]:
        yield f"  notice       {granted['notice']}"
