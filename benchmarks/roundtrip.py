"""Redaction leaves all else equal: ``python -m benchmarks.roundtrip``.

For every notebook of the grid: putting the secrets back into the redacted notebook gives the original, nothing of the
secret is left in it, and a second scan finds nothing. The check is independent of the redactor: it reads the marks.
"""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from benchmarks.grid import SEED, Case, make_grid
from benchmarks.verdict import judge
from jupyter_qguard.redact import redact_notebook
from jupyter_qguard.scan import Finding, Scanner, ScanSettings

MARK = re.compile(r"\[redacted(?::[\w.-]+)?\]")
Json = Any
"""Any JSON value."""


Run = tuple[int, int, str]
"""Start, end and text of one part of a secret in its string."""


def put_back(redacted: Json, original: Json, pointer: str, secrets: Mapping[tuple[str, bool], list[Run]]) -> Json:
    """*redacted* with the secrets put back where the marks are; lists of lines take the original's line ends."""
    if isinstance(redacted, str):
        return _fill(redacted, secrets.get((pointer, False), []))
    if isinstance(redacted, dict):
        made: dict[str, Json] = {}
        keys = {_fill(key, secrets.get((f"{pointer}/{_step(key)}", True), [])): key for key in redacted}
        for plain, key in keys.items():
            inner = original.get(plain) if isinstance(original, dict) else None
            made[plain] = put_back(redacted[key], inner, f"{pointer}/{_step(key)}", secrets)
        return made
    if isinstance(redacted, list):
        if (pointer, False) in secrets:
            return _fill_lines(redacted, original, secrets[pointer, False])
        fits = isinstance(original, list) and len(original) == len(redacted)
        inners = original if fits else [None] * len(redacted)
        return [
            put_back(item, inner, f"{pointer}/{number}", secrets)
            for number, (item, inner) in enumerate(zip(redacted, inners, strict=True))
        ]
    return redacted


def _fill_lines(redacted: list[str], original: list[str], runs: list[Run]) -> Json:
    """The original if the joined text is that of the original and no line without a secret differs."""
    text = _fill("".join(redacted), runs)
    if text != "".join(original) or len(redacted) != len(original):
        return text
    at = 0
    for line, before in zip(redacted, original, strict=True):
        end = at + len(before)
        if line != before and not any(start < end and stop > at for start, stop, _ in runs):
            return text
        at = end
    return original


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _fill(text: str, runs: list[Run]) -> str:
    rest = iter(runs)
    return MARK.sub(lambda match: next((run[2] for run in rest), match.group()), text)


def secrets_by_string(document: Json, findings: Iterable[Finding]) -> dict[tuple[str, bool], list[Run]]:
    """What the spans of the findings cover, in order, by pointer (that of the redacted notebook) and whether in a key."""
    spans: dict[tuple[str, bool], list[tuple[int, int]]] = defaultdict(list)
    texts: dict[tuple[str, bool], str] = {}
    strings = dict(walk(document, ""))
    for finding in findings:
        place = finding.pointer, finding.in_key
        if finding.in_key:
            texts[place] = _key_text(finding, strings)
        else:
            texts[place] = strings[finding.pointer]
        spans[place] += finding.spans
    return {
        place: [(start, end, texts[place][start:end]) for start, end in sorted(set(runs))]
        for place, runs in spans.items()
    }


def _key_text(finding: Finding, strings: Mapping[str, str]) -> str:
    """The key of the original that becomes the redacted step at the end of the pointer."""
    parent, _, last = finding.pointer.rpartition("/")
    shape = re.compile(".+".join(map(re.escape, MARK.split(last.replace("~1", "/").replace("~0", "~")))), re.DOTALL)
    for pointer in strings:
        head, _, key = pointer.removesuffix("\0").rpartition("/")
        plain = key.replace("~1", "/").replace("~0", "~")
        if pointer.endswith("\0") and head == parent and shape.fullmatch(plain):
            return plain
    return ""


def walk(node: Json, pointer: str) -> Iterator[tuple[str, str]]:
    """Every string with its pointer; lists of strings also joined; keys with a NUL after their pointer."""
    if isinstance(node, str):
        yield pointer, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield f"{pointer}/{_step(key)}\0", key
            yield from walk(value, f"{pointer}/{_step(key)}")
    elif isinstance(node, list):
        if node and all(isinstance(item, str) for item in node):
            yield pointer, "".join(node)
        for number, item in enumerate(node):
            yield from walk(item, f"{pointer}/{number}")


def problems(case: Case, scanner: Scanner) -> list[str]:
    """What is wrong with the redaction of one notebook; nothing if all is well."""
    before = copy.deepcopy(case.notebook)
    findings = scanner.scan_notebook(case.notebook).findings
    redacted = redact_notebook(case.notebook, findings)
    found = []
    if case.notebook != before:
        found.append("the input was changed")
    if put_back(redacted, before, "", secrets_by_string(before, findings)) != before:
        found.append("putting the secrets back does not give the original")
    if scanner.scan_notebook(redacted).findings:
        found.append("a second scan finds something")
    if judge(case, findings).exact:
        left = json.dumps(redacted, ensure_ascii=False)
        pieces = {t.text[s:e] for t in case.occurrences for s, e in (t.cores or t.spans)}
        if any(json.dumps(piece, ensure_ascii=False)[1:-1] in left for piece in pieces):
            found.append("a piece of the secret is left")
    return found


@click.command()
@click.option("--seed", default=SEED, show_default=True)
@click.option("--only", default="", help="Only places or credentials whose name contains this.")
@click.option("--step", default=1, show_default=True, help="Take every n-th notebook of the grid.")
def main(seed: int, only: str, step: int) -> None:
    """Redact the grid and put the secrets back."""
    scanner = Scanner.load(ScanSettings(fingerprint_key=bytes(32)), announce=click.echo)
    count, wrong = 0, 0
    for case in [case for case in make_grid(seed) if only in case.name][::step]:
        count += 1
        for problem in problems(case, scanner):
            wrong += 1
            click.echo(f"{case.name}: {problem}")
    click.echo(f"{count} notebooks redacted and restored, {wrong} problems")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
