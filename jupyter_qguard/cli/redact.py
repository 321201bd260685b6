"""``qguard redact``."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from pathlib import Path

import click

from jupyter_qguard.cli.scan import write_whole
from jupyter_qguard.cli.stream import redact_stream
from jupyter_qguard.errors import GuardFailureError, InputError
from jupyter_qguard.policy import load_policy
from jupyter_qguard.redact import redact_notebook, redact_text
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.notebook import parse_notebook
from jupyter_qguard.scan.scanner import decode_text

_MOST_PASSES = 4


@click.command(
    epilog="""\b
    Examples:
      qguard redact analysis.ipynb -o clean.ipynb
      qguard redact run.log -o run.log
      python train.py 2>&1 | qguard redact - | tee train.log
    Exit codes: 0 nothing to redact, 1 redacted, 4 unreadable and nothing written.
    """
)
@click.argument("source", metavar="IN", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="OUT; else standard output.")
def redact(source: str, output: Path | None) -> None:
    """Write a copy of IN with every secret replaced by [redacted:RULE].

    All else stays equal: a notebook keeps its cells, outputs and metadata, and its indentation. With - a stream is
    filtered line by line as it comes.
    """
    policy = load_policy(environ=os.environ, home=Path.home()).policy
    settings = ScanSettings(secrets.token_bytes(32), dict(policy.classify), dict(policy.patterns))
    scanner = Scanner.load(settings, announce=lambda text: click.echo(text, err=True))
    if source == "-" and output is None:
        sys.exit(1 if redact_stream(scanner, sys.stdin.buffer, sys.stdout.buffer) else 0)
    data = sys.stdin.buffer.read() if source == "-" else _read(Path(source))
    cleaned, found = redacted(scanner, data, source)
    if output:
        write_whole(output, cleaned)
    else:
        sys.stdout.buffer.write(cleaned)
        sys.stdout.buffer.flush()
    sys.exit(1 if found else 0)


def redacted(scanner: Scanner, data: bytes, name: str) -> tuple[bytes, int]:
    """The redacted bytes, and how many findings went. Scans its own result until nothing is left.

    Raises
    ------
    InputError
        The input cannot be read.
    GuardFailureError
        Something is found however often it is redacted: nothing may be written then.
    """
    total = 0
    for _ in range(_MOST_PASSES):
        found, cleaned = _redact_once(scanner, data, name)
        if not found:
            return data, total
        total += found
        data = cleaned
    message = f"{name}: a finding is left after {_MOST_PASSES} passes; nothing was written"
    raise GuardFailureError(message)


def _redact_once(scanner: Scanner, data: bytes, name: str) -> tuple[int, bytes]:
    if not name.lower().endswith(".ipynb"):
        text = decode_text(data)
        result = scanner.scan_text(text)
        return len(result.findings), redact_text(text, result.findings).encode("utf-8", "surrogateescape")
    document = parse_notebook(data)
    result = scanner.scan_notebook(document)
    if not result.findings:
        return 0, data
    return len(result.findings), dump_like(redact_notebook(document, result.findings), data)


def dump_like(document: object, original: bytes) -> bytes:
    """JSON text written as *original* was: its indentation, its escapes, its last line end."""
    indent = re.match(rb"\s*\{\r?\n([ \t]+)", original)
    step: int | str | None = None
    if indent:
        blank = indent.group(1).decode()
        step = blank if "\t" in blank else len(blank)
    ascii_only = original.isascii() and b"\\u" in original
    separators = (",", ": ") if indent else (", ", ": ") if b'": ' in original[:4096] else (",", ":")
    text = json.dumps(document, ensure_ascii=ascii_only, indent=step, separators=separators)
    if original[-1:] == b"\n":
        text += "\n"
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate: only its escape can be written
        return json.dumps(document, indent=step, separators=separators).encode() + original[-1:].strip(b"}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise InputError(message) from None
