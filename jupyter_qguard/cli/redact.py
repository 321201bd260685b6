"""``qguard redact``."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from pathlib import Path

import click

from jupyter_qguard.cli.clean import clean_text, until_clean
from jupyter_qguard.cli.output import encoded_json, write_whole
from jupyter_qguard.cli.stream import redact_stream
from jupyter_qguard.errors import InputError
from jupyter_qguard.policy import load_policy
from jupyter_qguard.redact import redact_notebook
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.notebook import parse_notebook
from jupyter_qguard.scan.text import decode_text, encode_text

_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*")


@click.command(
    epilog="""\b
    Examples:
      qguard redact analysis.ipynb -o clean.ipynb
      qguard redact run.log -o run.log
      python train.py 2>&1 | qguard redact - | tee train.log
    Exit codes: 0 nothing to redact, 1 redacted, 4 unreadable and nothing written.
    """
)
@click.argument("source", metavar="IN", type=click.Path(dir_okay=False, readable=False, allow_dash=True))
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
    try:
        cleaned, found = redacted(scanner, data, source)
    except InputError as error:
        message = f"{source} cannot be read: {error}"
        raise InputError(message) from None
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
    if not name.lower().endswith(".ipynb"):
        if b"\0" in data:
            scanner.scan_bytes(data, name)  # refuses a text that hides another one in it
        text, found = clean_text(scanner, decode_text(data))
        return (encode_text(text, data) if found else data), found
    document = parse_notebook(data)
    cleaned, found = until_clean(document, lambda value: scanner.scan_notebook(value).findings, redact_notebook)
    return (dump_like(cleaned, data) if found else data), found


def dump_like(document: object, original: bytes) -> bytes:
    """JSON text written as *original* was: its indentation, its escapes, its line ends, what is before and behind it."""
    head, tail = _HEAD.match(original), original[len(original.rstrip(b" \t\r\n")) :]
    body = original[head.end() :] if head else original
    indent = re.match(rb"\{\r?\n([ \t]+)", body)
    step: int | str | None = None
    if indent:
        blank = indent.group(1).decode()
        step = blank if "\t" in blank else len(blank)
    ascii_only = body.isascii() and b"\\u" in original
    separators = (",", ": ") if indent else (", ", ": ") if b'": ' in original[:4096] else (",", ":")
    text = json.dumps(document, ensure_ascii=ascii_only, indent=step, separators=separators)
    data = encoded_json(text)
    if indent and b"\r\n" in indent.group():
        data = data.replace(b"\n", b"\r\n")  # those in strings are escaped
    return (head.group() if head else b"") + data + tail


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise InputError(message) from None
