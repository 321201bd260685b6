"""``%qguard explain HOST``: what the policy decides about a connection, which line of it, and how to ask for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import UsageError
from jupyter_qguard.kernel.channel import the_channel
from jupyter_qguard.kernel.refusals import short_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE = "%qguard explain HOST  what the policy decides about HOST (or a URL, or HOST:PORT), and how to ask"


def run(words: str) -> None:
    """Print it."""
    if not words or " " in words:
        raise UsageError("write one host, as in `%qguard explain api.example.org`")
    print("\n".join(_lines(ask(words))))  # noqa: T201 - what is asked for


def ask(target: str) -> dict[str, Any]:
    """What the gateway says of *target*. Raises NotDoneError, NoChannelError, NoAnswerError."""
    return the_channel().ask("explain", host=target)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    where = f"{found['host']}:{found['port']}"
    reason = short_reason(found["reason"].removeprefix("only observed: "), found["host"])
    if found["would"] == "allow":
        yield f"{where} is allowed: {reason}."
        addresses = ", ".join(found["addresses"]) or "any public address"
        yield f"  addresses    {addresses}; {'TLS is not required' if found['plain'] else 'TLS only'}"
    elif found["action"] == "allow":
        yield f"{where} is let through, as connections are only observed; enforced, it would be refused."
        yield f"  because      {reason}"
    else:
        yield f"{where} is refused: {reason}."
    rule = f"{found['rule']}{', ' + found['where'] if found['where'] else ''}"
    yield f"  rule         {rule or 'none speaks of it, in ' + ', '.join(found['policy'])}"
    if found["would"] != "allow":
        yield f"  to ask for   - {{host: {found['host']}, ports: [{found['port']}], owner: …, reason: …}}"
        yield f"  outside      qguard policy explain {where}"
    if found["action"] != "allow" and found.get("once"):
        short = f"qguard allow {where.removesuffix(':443')} --kernel {found['kernel'][:8]}"
        yield f"  once         {short} --for 1h --reason …   (in a terminal outside of kernels)"
