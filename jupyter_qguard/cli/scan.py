"""``qguard scan``."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyter_qguard.cli.output import encoded, encoded_json, write_whole
from jupyter_qguard.cli.pool import FileResult, default_jobs, scan_data, scan_files
from jupyter_qguard.cli.report import Report, exit_code, in_order
from jupyter_qguard.cli.walk import files_below
from jupyter_qguard.errors import UsageError
from jupyter_qguard.scan import Scanner, ScanSettings, Severity
from jupyter_qguard.scan.baseline import (
    Baseline,
    apply_baseline,
    new_baseline,
    parse_baseline,
    update_baseline,
    write_baseline,
)

if TYPE_CHECKING:
    from jupyter_qguard.policy import Policy

_FORMATS = ("text", "json", "sarif", "github")
_SEVERITIES = tuple(severity.label for severity in reversed(Severity))
_file = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog="""\b
    Examples:
      qguard scan .
      qguard scan analysis.ipynb --format json
      kubectl logs pod | qguard scan -
      qguard scan . --format sarif -o qguard.sarif
      qguard scan . --update-baseline .qguard-baseline.json
      qguard scan . --baseline .qguard-baseline.json
      qguard scan . --git-history
    Exit codes: 0 nothing found, 1 findings, 2 usage, 3 invalid policy, 4 nothing found but some input unreadable.
    """
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("-o", "--output", type=_file, help="Write the report to this file.")
@click.option("--baseline", "baseline_path", type=_file, help="Findings accepted in this file do not count.")
@click.option("--update-baseline", "update_path", type=_file, help="Accept what is found now, in this file.")
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="medium",
    show_default=True,
    help="The lowest severity that ends with exit code 1.",
)
@click.option("--policy", "policy_path", type=_file, help="Use this policy file instead of the ones found.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; without it one per processor.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these out, in .gitignore's notation.")
@click.option("--no-gitignore", is_flag=True, help="Scan what .gitignore leaves out as well.")
@click.option(
    "--max-size", type=click.IntRange(1), default=512, show_default=True, help="MiB; larger files are errors."
)
@click.option("--git-history", is_flag=True, help="Scan every version of every file in the repository at PATH.")
@click.option("--since", default="", metavar="DATE", help="With --git-history: only commits after this date.")
@click.option("--stdin-name", default="standard input", help="Name of standard input; ends it with .ipynb, it is one.")
def scan(paths: tuple[str, ...], form: str, output: Path | None, **options: object) -> None:
    """Find secrets in notebooks, text files, logs, or standard input (PATH is -).

    Folders are searched with respect for .gitignore. A notebook is read as Jupyter reads it: sources, every output,
    attachments, metadata and widget state. No report shows more than 4 characters of a secret.
    """
    policy = _policy(options["policy_path"])
    baseline = _baseline(options["baseline_path"], options["update_path"])
    key = baseline.fingerprint_key if baseline else os.urandom(32)
    settings = ScanSettings(key, dict(policy.classify), dict(policy.patterns))
    files = in_order(list(_results(paths, settings, options)))
    today = dt.datetime.now(tz=dt.timezone.utc).date()
    if baseline and options["update_path"]:
        found = [(file.path, finding) for file in files for finding in file.result.findings]
        read = (file.path for file in files if not file.error)
        baseline = update_baseline(baseline, found, read, today)
        write_whole(Path(str(options["update_path"])), write_baseline(baseline))
    if baseline:
        accepted = baseline.accepted(today)
        files = tuple(replace(file, result=apply_baseline(file.result, accepted)) for file in files)
    report = Report(files, Severity[str(options["fail_on"]).upper()], _engine())
    text = _render(form, report)
    coloured = form == "text" and output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    data = encoded_json(text) if form in {"json", "sarif"} else encoded(text if coloured else click.unstyle(text))
    if output:
        write_whole(output, data)
    else:
        click.echo(data, nl=False)
    sys.exit(exit_code(report))


def _results(paths: tuple[str, ...], settings: ScanSettings, options: dict[str, object]) -> Iterator[FileResult]:
    limit = int(str(options["max_size"])) << 20
    if "-" in paths:
        if len(paths) > 1 or options["git_history"]:
            message = "- is standard input and cannot be given together with other paths"
            raise UsageError(message)
        scanner = Scanner.load(settings, announce=_announce)
        yield scan_data(scanner, sys.stdin.buffer.read(), str(options["stdin_name"]))
        return
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        message = f"no such file or folder: {', '.join(missing)}"
        raise UsageError(message)
    if options["git_history"]:
        from jupyter_qguard.cli.git_history import scan_history  # noqa: PLC0415 - git is needed for this alone

        for path in paths:
            yield from scan_history(Path(path), settings, str(options["since"]), limit, _announce)
        return
    exclude = options["exclude"]
    globs = exclude if isinstance(exclude, tuple) else ()
    files = list(files_below(map(Path, paths), globs, gitignore=not options["no_gitignore"]))
    jobs = options["jobs"] if isinstance(options["jobs"], int) else default_jobs()
    yield from with_progress(scan_files(files, settings, jobs, _announce, limit), len(files))


def with_progress(results: Iterable[FileResult], total: int) -> Iterator[FileResult]:
    """Pass *results* on, with a bar on standard error if that is a terminal."""
    if not sys.stderr.isatty() or total < 20:
        yield from results
        return
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that pipes and CI need not wait
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scanning", total=total)
        for result in results:
            progress.advance(task)
            yield result


def _render(form: str, report: Report) -> str:
    if form == "json":
        from jupyter_qguard.cli.report.json import render  # noqa: PLC0415 - one of four
    elif form == "sarif":
        from jupyter_qguard.cli.report.sarif import render  # noqa: PLC0415
    elif form == "github":
        from jupyter_qguard.cli.report.github import render  # noqa: PLC0415
    else:
        from jupyter_qguard.cli.report.text import render  # noqa: PLC0415
    renderer: Callable[[Report], str] = render
    return renderer(report)


def _policy(path: object) -> Policy:
    from jupyter_qguard.policy import load_policy, parse_policy  # noqa: PLC0415 - see its beginning

    if isinstance(path, Path):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            message = f"the policy {path} cannot be read"
            raise UsageError(message) from None
        return parse_policy(text, str(path))
    return load_policy(environ=os.environ, home=Path.home()).policy


def _baseline(path: object, update: object) -> Baseline | None:
    """The file to update, if it is there; else the one to go by, whose entries are taken over; else a new one."""
    if isinstance(update, Path) and update.exists():
        return parse_baseline(update.read_bytes(), str(update))
    if isinstance(path, Path):
        try:
            return parse_baseline(path.read_bytes(), str(path))
        except FileNotFoundError:
            message = f"there is no baseline {path}; --update-baseline writes one"
            raise UsageError(message) from None
    return new_baseline() if update else None


def _engine() -> dict[str, str]:
    from jupyter_qguard._version import __version__  # noqa: PLC0415
    from jupyter_qguard.catalog import catalog_digest  # noqa: PLC0415

    return {"name": "jupyter-qguard", "version": __version__, "catalogue": catalog_digest()[:16]}


def _announce(message: str) -> None:
    click.echo(message, err=True)
