"""``qguard redact`` on files of every form: the secrets go, all else stays, and back in they give the original."""

from __future__ import annotations

import codecs
import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benchmarks.roundtrip import MARK, put_back, secrets_by_string
from jupyter_qguard.cli.redact import redacted
from jupyter_qguard.redact import redact_notebook
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.binary import is_binary
from tests.property.strategies import notebooks
from tests.server.planted import call, line, make_secret

slow = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.load(ScanSettings(fingerprint_key=bytes(32)))


def plant(document: dict[str, Any], rng: Random) -> list[str]:
    """Put secrets, each with what gives it away, into a generated notebook."""
    secrets = [make_secret(rng.random()) for _ in range(rng.randint(1, 4))]
    for secret in secrets:
        text = f"x = 1\n{call(secret) if rng.random() < 0.5 else line(secret)}"
        lines: str | list[str] = text.splitlines(keepends=True) if rng.random() < 0.5 else text
        output = {"output_type": "stream", "name": "stdout", "text": lines}
        cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "source": lines, "outputs": []}
        where = rng.randrange(3)
        if where == 1:
            cell |= {"source": "run()", "outputs": [output]}
        elif where == 2:
            cell |= {"source": "run()", "metadata": {"lab": {"environment": text}}}
        document["cells"].insert(rng.randint(0, len(document["cells"])), cell)
    return secrets


@slow
@given(document=notebooks, seed=st.integers(0, 2**32))
def test_secrets_planted_into_any_notebook_go_and_all_else_stays(
    scanner: Scanner, document: dict[str, Any], seed: int
) -> None:
    rng = Random(seed)
    secrets = plant(document, rng)
    end, mark = rng.choice(("\n", "\r\n")), rng.choice((b"", codecs.BOM_UTF8))
    text = json.dumps(document, indent=rng.choice((None, 1, 2, "\t")), ensure_ascii=rng.random() < 0.5)
    data = mark + text.replace("\n", end).encode("utf-8", "backslashreplace") + rng.choice((b"", end.encode()))
    before = json.loads(data.decode("utf-8-sig"))
    findings = scanner.scan_notebook(before).findings
    assert len(findings) >= len(secrets)
    restored = put_back(redact_notebook(before, findings), before, "", secrets_by_string(before, findings))
    assert json.dumps(restored) == json.dumps(before)
    after, found = redacted(scanner, data, "a.ipynb")
    assert found >= len(secrets)
    assert not any(secret.encode() in after for secret in secrets)
    assert after.startswith(mark)
    assert json.loads(after.decode("utf-8-sig"))["nbformat"] == 4
    assert redacted(scanner, after, "a.ipynb") == (after, 0)


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
endings = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


@slow
@given(
    parts=st.lists(st.tuples(words, endings, st.booleans()), min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]),
    seed=st.integers(0, 2**32),
)
def test_a_text_file_with_its_secrets_put_back_is_the_original(
    scanner: Scanner, parts: list[tuple[str, str, bool]], encoding: str, seed: int
) -> None:
    secrets, text = [], ""
    for number, (word, ending, holds) in enumerate(parts):
        text += word + ending
        if holds:
            secrets.append(make_secret(f"{seed} {number}"))
            text += f"QISKIT_IBM_TOKEN={secrets[-1]}{ending}"
    assume(not MARK.search(text) and "allow" not in text)
    head = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    before = head + text.encode(encoding)
    assume(not (head and is_binary(before)))  # little else than control characters behind a mark is no text
    after, found = redacted(scanner, before, "a.log")
    shown = after[len(head) :].decode(encoding)
    runs = iter(secrets)
    assert found == len(secrets)
    assert after.startswith(head)
    assert MARK.sub(lambda _: next(runs), shown) == text


@slow
@given(parts=st.lists(st.binary(max_size=20).map(lambda part: part.replace(b"\0", b"\xff")), max_size=6))
def test_bytes_that_are_no_text_come_through_as_they_are(scanner: Scanner, parts: list[bytes]) -> None:
    secret = make_secret("bytes of no encoding")
    before = b"# \n" + b"\n".join([*parts, line(secret).encode(), *parts])
    after, found = redacted(scanner, before, "a.log")
    assert found == 1
    head, _, tail = after.partition(b"[redacted:")
    assert head + secret.encode() + tail.partition(b"]")[2] == before
