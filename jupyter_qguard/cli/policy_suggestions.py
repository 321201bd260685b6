"""``qguard policy suggest``: from refused connections in the trail to entries that somebody may add."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyter_qguard.audit import EventType
from jupyter_qguard.audit.event import AuditRead
from jupyter_qguard.audit.trail import RecordFilter, read_records
from jupyter_qguard.cli.reading import record_reading, trail_folder
from jupyter_qguard.policy import load_policy
from jupyter_qguard.policy.destination import HTTPS_PORT
from jupyter_qguard.policy.egress import EgressAction
from jupyter_qguard.policy.suggest import Refusal, Suggestion, entries
from jupyter_qguard.policy.suggest import suggest as suggest_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

_VALID = dt.timedelta(days=90)
"""How long a suggested entry holds: long enough to be useful, short enough to be looked at again."""
_NOTEBOOKS_NAMED = 3


@click.command(
    epilog="""\b
    Examples:
      qguard policy suggest
      qguard policy suggest --since 2027-01-01 --notebook work/vqe.ipynb
    """
)
@click.option("--path", type=click.Path(path_type=Path), help="Folder of the trail; without it the policy's.")
@click.option("--since", default="", help="From this time, UTC: 2027-01-31 or 2027-01-31T09:00.")
@click.option("--notebook", default="", help="Only this notebook, by its path on the server.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def suggest(path: Path | None, since: str, notebook: str, form: str) -> None:
    """Turn refused connections of the trail into entries of a policy, for somebody to judge. Changes nothing.

    Under mode observe these are the connections that would be refused. Addresses, local names, telemetry hosts and
    what `egress.deny` names are not suggested; a vendor's host is shown as one for `access`. That you looked is recorded.
    """
    folder = trail_folder(path)
    wanted = RecordFilter(frozenset({EventType.EGRESS_DECIDED}), notebook=notebook, since=since.removesuffix("Z"))
    records = list(read_records(folder, wanted))
    record_reading(folder, AuditRead(records=len(records), filters=(*wanted.words(), f"path={folder}")))
    today = dt.datetime.now(dt.timezone.utc).date()
    loaded = load_policy(environ=os.environ, home=Path.home())
    found = suggest_entries(loaded.policy, refusals(records), today)
    if form == "json":
        click.echo(json.dumps({"version": 1, "suggestions": [_as_json(each) for each in found]}, indent=2))
    elif found:
        click.echo(entries(found, today + _VALID), nl=False)
    else:
        click.echo("# nothing that is in the trail would be refused now")


def refusals(records: Iterable[dict[str, Any]]) -> list[Refusal]:
    """What the trail says was refused, or would have been, by host and port."""
    counts: dict[tuple[str, int], int] = defaultdict(int)
    last: dict[tuple[str, int], str] = {}
    notebooks: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
    for record in records:
        data = record.get("data") or {}
        if data.get("would", data.get("action")) != EgressAction.REFUSE.label:
            continue
        # Of a name that was asked for, the port that it was asked for is not known.
        key = (str(data.get("host", "")), int(data.get("port", 0)) or HTTPS_PORT)
        counts[key] += int(data.get("count", 1))
        last[key] = max(last.get(key, ""), str(record.get("time", "")))
        if record.get("notebook"):
            notebooks[key][str(record["notebook"])] = None
    return [
        Refusal(host, port, count, last[host, port], tuple(notebooks[host, port])[:_NOTEBOOKS_NAMED])
        for (host, port), count in counts.items()
    ]


def _as_json(each: Suggestion) -> dict[str, Any]:
    asked = each.refusal
    return {
        "host": asked.host,
        "port": asked.port,
        "count": asked.count,
        "last": asked.last,
        "notebooks": asked.notebooks,
        "advice": each.advice.value,
        "vendor": each.vendor,
        "text": each.text,
    }
