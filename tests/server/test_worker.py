"""What a worker does to bytes: redacted text keeps its encoding, and JSON that says two things is refused."""

from __future__ import annotations

import json

import pytest

from jupyter_qguard.errors import InputError
from jupyter_qguard.server.child import Child, WorkerDiedError
from jupyter_qguard.server.wire import LoadRules, RedactBytes, ScanFile
from jupyter_qguard.server.worker import redact_bytes, refuse_repeated_keys
from tests.server.findings import finding
from tests.server.planted import as_file, code, notebook


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_redacted_text_keeps_its_encoding(codec: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(codec, b"")
    data = mark + "aböc\r\n".encode(codec)
    redacted = redact_bytes(RedactBytes("f.txt", data, (finding("", (1, 3)),)))
    assert redacted == mark + "a[redacted:rule]c\r\n".encode(codec)


def test_bytes_that_are_no_utf_8_stay_what_they_are() -> None:
    assert redact_bytes(RedactBytes("f.txt", b"\xfcab", (finding("", (1, 2)),))) == b"\xfc[redacted:rule]b"


def test_a_redacted_notebook_is_written_as_jupyter_writes_it() -> None:
    document = notebook(code("äbc"))
    redacted = redact_bytes(RedactBytes("N.IPYNB", as_file(document).encode(), (finding(span=(1, 2)),)))
    document["cells"][0]["source"] = "ä[redacted:rule]c"
    assert redacted.decode() == json.dumps(document, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "b": 2, "a": 3}}]', '\ufeff{"a": 1, "a": 2}'])
def test_a_key_twice_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="same key twice"):
        refuse_repeated_keys(text.encode())


def test_a_number_that_cannot_be_read_again_is_refused() -> None:
    with pytest.raises(InputError, match="too many digits"):
        refuse_repeated_keys(b"1" * 5000)


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000, b'{"a": {"a": 1}, "b": {"a": 1}}'])
def test_anything_else_is_left_to_the_scanner(data: bytes) -> None:
    refuse_repeated_keys(data)


def test_parts_that_could_not_be_taken_are_not_read_as_messages() -> None:
    child = Child(LoadRules(b"k" * 32, {}, {}, None), patience=300, announce=print)
    try:
        # More than any machine has: where the worker went on, the part would be its next message.
        with pytest.raises(WorkerDiedError):
            [child.ask(ScanFile("n.ipynb", (size,)), (), 60) for size in (1 << 60, 0)]
        assert not child.alive
    finally:
        child.stop()
