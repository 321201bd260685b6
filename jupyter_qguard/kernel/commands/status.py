"""``%qguard status``: what holds for this kernel, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_qguard.errors import UsageError
from jupyter_qguard.kernel.channel import the_channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

USAGE = "%qguard status        tier, mode, allowed hosts, and what is not stopped"
_SHOWN = 12
_MODES = {
    "enforce": "it reaches the allowlist and nothing else",
    "observe": "connections are only recorded, and none is refused",
}


def run(words: str) -> None:
    """Print it."""
    if words:
        raise UsageError("write `%qguard status` alone")
    print("\n".join(_lines(ask())))  # noqa: T201 - what is asked for


def ask() -> dict[str, Any]:
    """What the gateway says of this kernel. Raises NoChannelError, NoAnswerError."""
    return the_channel().ask("status")


def _lines(status: dict[str, Any]) -> Iterator[str]:
    yield f"This kernel is guarded in tier {status['tier']}; {_MODES.get(status['mode'], status['mode'])}."
    yield from _row("policy", status["policy"])
    yield from _row("allowed", [_hosts(status["allowed"], status["allowed_count"])])
    once = [f"{each['host']}:{each['port']} until {each['until']}" for each in status.get("allowed_once", [])]
    yield from _row("once", once)
    yield from _row("access", [f"{each['name']} ({each['vendor']}) until {each['until']}" for each in status["access"]])
    leases = status.get("leases", [])
    yield from _row("lent", [f"{each['name']} ({each['custody']}) until {each['until']}" for each in leases])
    yield from _row("way out", [status["upstream_proxy"]] if status["upstream_proxy"] else [])
    later = ", ".join(str(port) for port in status["ports_after_restart"])
    yield from _row("restart", [f"port {later} is reached without the proxy only after a restart"] if later else [])
    yield from _row("notices", status["notices"])
    yield from _row("audit log", [status["audit"]] if status["audit"] != "ok" else [])
    yield from _row("not stopped", status["not_stopped"])


def _row(name: str, texts: Iterable[str]) -> Iterator[str]:
    for position, text in enumerate(texts):
        yield f"  {'' if position else name:<12} {text}"


def _hosts(allowed: list[dict[str, Any]], count: int) -> str:
    if not allowed:
        return "no host is named"
    shown = ", ".join(_host(each) for each in allowed[:_SHOWN])
    return shown if count <= _SHOWN else f"{shown} and {count - _SHOWN} more"


def _host(entry: dict[str, Any]) -> str:
    ports = "" if entry["ports"] == [443] else ":" + ",".join(str(port) for port in entry["ports"])
    until = f" until {entry['until']}" if entry["until"] else ""
    return f"{entry['host']}{ports}{until}"
