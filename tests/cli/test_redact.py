"""``qguard redact``: files and streams, however they are encoded, cut up or linked."""

from __future__ import annotations

import codecs
import io
import itertools
import json
import os
import subprocess
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.values import fill
from jupyter_qguard.cli import stream
from jupyter_qguard.cli.redact import redacted
from jupyter_qguard.cli.stream import blocks, redact_stream
from jupyter_qguard.errors import InputError
from jupyter_qguard.scan import Scanner, ScanSettings
from tests.server.planted import as_file, in_source, line, make_secret

MARK = "[redacted:"


@pytest.fixture(scope="module")
def scanner():
    return Scanner.load(ScanSettings(fingerprint_key=bytes(32)))


def key_file(seed: int) -> bytes:
    return fill("{rsa_key}", Random(seed)).replace("<<", "").replace(">>", "").encode()


class Chunks:
    """A pipe that gives what was written into it in the pieces in which it was written."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = list(pieces)

    def read1(self, size: int) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        assert len(piece) <= size
        return piece

    read = read1


def cut_up(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[low:high] for low, high in itertools.pairwise(edges)]


PIECES = st.lists(st.integers(0, 10**6), max_size=30)


@settings(deadline=None, max_examples=60)
@given(places=PIECES, seed=st.integers(0, 99))
def test_a_stream_is_redacted_however_it_is_cut(scanner, places, seed):
    secrets = [make_secret(f"stream {seed} {number}") for number in range(4)]
    key = key_file(seed)
    parts = [
        b"start \xff\xfe\n",
        line(secrets[0]).encode(),
        f"\r 10% api_key={secrets[1]}\r 20%\r\n".encode(),
        b"log: " + key + b"\n",
        f"export QISKIT_IBM_TOKEN=\\\n{secrets[2]}\n".encode(),
        f"api_key={secrets[3]}".encode(),
    ]
    out = io.BytesIO()
    found = redact_stream(scanner, Chunks(cut_up(b"".join(parts), places)), out)
    body = out.getvalue()
    assert found >= 5
    assert not any(secret.encode() in body for secret in secrets)
    assert not any(piece in body for piece in key.splitlines()[1:-1])
    assert body.startswith(b"start \xff\xfe\nQISKIT_IBM_TOKEN=[redacted:")
    assert body.count(b"\r") == 3
    assert b"\r 20%\r\n" in body


@settings(deadline=None, max_examples=200)
@given(
    data=st.lists(
        st.sampled_from([b"a", b"\n", b"\r", b"\\", b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----"])
    ),
    places=PIECES,
)
def test_blocks_lose_and_change_nothing(data, places):
    text = b"".join(data)
    assert b"".join(blocks(Chunks(cut_up(text, places)))) == text


def test_a_line_is_out_as_soon_as_it_is_whole(run):
    process = run.start("redact", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for text in (b" 10%\r", b" 20%\r", b"done\n"):
        process.stdin.write(text)
        process.stdin.flush()
        assert process.stdout.read(len(text)) == text  # waits for ever if it is held back
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


def test_a_line_without_end_is_parted_between_words_and_bounded(scanner, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST_HELD", 20_000)
    secrets = [make_secret(f"long {number}") for number in range(200)]
    data = " ".join(f"api_key={secret}" for secret in secrets).encode() * 3
    pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    sizes = [len(block) for block in blocks(Chunks(pieces))]
    assert max(sizes) <= 21_000
    out = io.BytesIO()
    redact_stream(scanner, Chunks(pieces), out)
    assert not any(secret.encode() in out.getvalue() for secret in secrets)
    assert b"".join(blocks(Chunks([b"x" * 1000] * 50))) == b"x" * 50_000


ENCODINGS = {
    "UTF-8": (b"", "utf-8"),
    "UTF-8 with mark": (codecs.BOM_UTF8, "utf-8"),
    "UTF-16 LE": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "UTF-16 BE": (codecs.BOM_UTF16_BE, "utf-16-be"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_keeps_its_encoding_and_its_line_ends(scanner, encoding, end):
    mark, name = ENCODINGS[encoding]
    secret = make_secret(f"{encoding} {end}")
    text = end.join(["# Übung 量子", f'api_key = "{secret}"', "", "end"])
    before = mark + text.encode(name)
    after, found = redacted(scanner, before, "a.py")
    assert found == 1
    assert after.startswith(mark)
    rule = after[len(mark) :].decode(name).split(MARK)[1].split("]")[0]
    assert after.replace(f"{MARK}{rule}]".encode(name), secret.encode(name)) == before


def test_bytes_that_are_no_text_stay(scanner):
    before = b"\xff\xc3 \x80" + line(make_secret("bytes")).encode() + b"\xed\xa0\x80\n"
    after, _ = redacted(scanner, before, "a.log")
    assert after.startswith(b"\xff\xc3 \x80QISKIT_IBM_TOKEN=[redacted:")
    assert after.endswith(b"]\n\xed\xa0\x80\n")


@pytest.mark.parametrize("data", [b"\0\1\2", b"\xff\xfe\0\1\2\3\1\xd8\xd8\xd8\xd8", b"PK\3\4\0\0" * 9])
def test_what_is_no_text_is_refused(scanner, data):
    with pytest.raises(InputError):
        redacted(scanner, data, "a.log")


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("head", [b"", codecs.BOM_UTF8, b"\n "])
@pytest.mark.parametrize("escaped", [True, False])
def test_a_notebook_keeps_its_form(scanner, indent, end, head, escaped):
    secret = make_secret("form")
    document = {**in_source(secret), "metadata": {"title": "Übung 量子"}}
    text = json.dumps(document, indent=indent, ensure_ascii=escaped) + "\n"
    before = head + text.replace("\n", end).encode()
    after, found = redacted(scanner, before, "a.ipynb")
    assert found == 1
    rule = after.decode().split(MARK)[1].split("]")[0]
    assert after.replace(f"{MARK}{rule}]".encode(), secret.encode()) == before


def test_a_notebook_with_a_lone_surrogate_stays_json(scanner):
    document = {**in_source(make_secret("surrogate")), "metadata": {"odd": "\ud800 ü"}}
    before = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    after, _ = redacted(scanner, before, "a.ipynb")
    assert json.loads(after)["metadata"] == document["metadata"]
    assert "ü".encode() in after


def test_the_same_file_is_replaced_and_keeps_its_mode(run, work):
    secret = make_secret("same")
    (work / "a.log").write_text(line(secret))
    (work / "a.log").chmod(0o640)
    if os.geteuid() == 0:
        os.chown(work / "a.log", 12345, 12345)
    assert run("redact", "a.log", "-o", "a.log").returncode == 1
    found = (work / "a.log").stat()
    assert secret not in (work / "a.log").read_text()
    assert found.st_mode & 0o777 == 0o640
    assert found.st_uid == (12345 if os.geteuid() == 0 else os.getuid())
    assert [path.name for path in work.iterdir()] == ["a.log"]


def test_a_link_is_followed_so_that_no_secret_is_left_behind_it(run, work):
    secret = make_secret("link")
    (work / "deep").mkdir()
    (work / "deep" / "real.ipynb").write_text(as_file(in_source(secret)))
    (work / "a.ipynb").symlink_to("deep/real.ipynb")
    assert run("redact", "a.ipynb", "-o", "a.ipynb").returncode == 1
    assert (work / "a.ipynb").is_symlink()
    assert secret not in (work / "deep" / "real.ipynb").read_text()


def test_what_cannot_be_read_ends_with_4_and_nothing_is_written(run, work):
    (work / "shut.log").write_text("x")
    (work / "shut.log").chmod(0)
    (work / "bad.ipynb").write_text("{")
    (work / "binary.log").write_bytes(b"\0\1")
    before = sorted(work.iterdir())
    for name in ("shut.log", "bad.ipynb", "binary.log", "missing.log"):
        done = run("redact", name, "-o", "out", unprivileged=True)
        assert (done.returncode, done.stdout) == (4, b"")
        assert name.encode() in done.stderr
        assert run("redact", name, unprivileged=True).stdout == b""
    assert sorted(work.iterdir()) == before


def test_what_cannot_be_written_ends_with_4_and_leaves_what_was_there(run, work):
    (work / "a.log").write_text(line(make_secret("out")))
    (work / "shut").mkdir()
    (work / "shut" / "out.log").write_text("old")
    (work / "shut").chmod(0o500)
    done = run("redact", "a.log", "-o", "shut/out.log", unprivileged=True)
    assert done.returncode == 4
    assert (work / "shut" / "out.log").read_text() == "old"
    assert list((work / "shut").iterdir()) == [work / "shut" / "out.log"]
    assert run("redact", "a.log", "-o", "no/folder/out.log").returncode == 4


def test_nothing_to_redact_is_passed_on_as_it_is(run, work):
    data = b'{"cells": [],  "metadata": {}, "nbformat": 4, "nbformat_minor": 5 }'
    (work / "a.ipynb").write_bytes(data)
    done = run("redact", "a.ipynb")
    assert (done.returncode, done.stdout) == (0, data)
    assert run("redact", "a.ipynb", "-o", "b.ipynb").returncode == 0
    assert (work / "b.ipynb").read_bytes() == data
    assert run("redact", "-", stdin=b"x\r\ny").stdout == b"x\r\ny"
    assert run("redact", "-", "-o", "c.log", stdin=line(make_secret("c")).encode()).returncode == 1
    assert MARK in (work / "c.log").read_text()


def test_an_invalid_policy_stops_everything(run, work):
    (work / "a.log").write_text(line(make_secret("policy")))
    (work / "p.yaml").write_text("apiVersion: qguard/v1\nscann: {}\n")
    done = run("redact", "a.log", "-o", "b.log", environment={"QGUARD_POLICY": str(work / "p.yaml")})
    assert done.returncode == 3
    assert not (work / "b.log").exists()


def test_a_reader_that_goes_away_ends_the_stream(run):
    process = run.start("redact", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(b"line\n")
    process.stdin.flush()
    assert process.wait(60) == 1  # although its input goes on
    assert process.stderr.read() == b""
    process.stderr.close()
    process.stdin.close()


def test_the_key_file_of_the_test_is_one():
    assert key_file(1).startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
