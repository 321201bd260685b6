"""Files with NUL bytes: no text hides behind them, and real binary files are saved, also large ones."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

import pytest

from tests.e2e.test_uploads import chunk, upload
from tests.server.harness import JupyterServer, Reply
from tests.server.planted import line, make_secret

pytestmark = pytest.mark.e2e
MEGABYTE = 1 << 20
_NOISE = random.Random(3).randbytes(3 * MEGABYTE)
_TEXT = b"words and more words\n" * 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("binary"), options={"QGuardApp.scan_limit": 2 * MEGABYTE})
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def redacting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    policy = "apiVersion: qguard/v1\nscan: {text_files: redact}\n"
    server = JupyterServer(tmp_path_factory.mktemp("redacting"), policy=policy)
    try:
        yield server.start()
    finally:
        server.stop()


def save(server: JupyterServer, path: str, data: bytes) -> Reply:
    return server.save(path, base64.b64encode(data).decode(), type="file", format="base64")


def hidden(secret: str) -> dict[str, bytes]:
    key = line(secret).encode()
    return {
        "nul before": b"\0" + key,
        "nul behind": key + b"\0",
        "many nuls": bytes(5000) + key + _TEXT,
        "nul far behind": key + _TEXT * 20 + b"\0" + _TEXT,
        "marked": b"\xff\xfe" + key + _TEXT.decode().encode("utf-16-le"),
        "unmarked little": line(secret).encode("utf-16-le"),
        "unmarked big": line(secret).encode("utf-16-be"),
        "wider": line(secret).encode("utf-32-le"),
        "embedded": _NOISE[:50_000] + b"\0" + key + _NOISE[:50_000],
    }


@pytest.mark.parametrize("kind", hidden(""))
def test_a_nul_hides_nothing_that_is_uploaded(server: JupyterServer, kind: str) -> None:
    secret = make_secret(kind)
    data = hidden(secret)[kind]
    assert save(server, "whole.dat", data).status == 422
    assert upload_in_two(server, "chunks.dat", data).status == 422
    assert server.leaks(secret) == []
    assert secret.encode("utf-16-le") not in b"".join(file.read_bytes() for file in server.root.iterdir())


def upload_in_two(server: JupyterServer, path: str, data: bytes) -> Reply:
    return upload(server, path, [data[: len(data) // 2], data[len(data) // 2 :]])


@pytest.mark.parametrize("data", [_NOISE, b"\xff\xfe\0" + _NOISE, _NOISE[:90_000], _TEXT * 30 + _NOISE])
def test_binary_files_arrive_byte_for_byte(server: JupyterServer, data: bytes) -> None:
    assert save(server, "whole.bin", data).status in (200, 201)
    assert upload_in_two(server, "chunks.bin", data).status in (200, 201)
    for name in ("whole.bin", "chunks.bin"):
        assert (server.root / name).read_bytes() == data


def test_a_text_that_is_too_large_is_not_let_through_for_its_nuls(server: JupyterServer) -> None:
    data = bytes(70_000) + b"words\n" * (MEGABYTE // 2)
    assert save(server, "large.log", data).status == 413
    assert upload_in_two(server, "large.log", data).status == 413


def test_one_chunk_that_is_text_makes_the_upload_one(server: JupyterServer) -> None:
    assert chunk(server, "mixed.bin", _NOISE, 1).status in (200, 201)
    assert chunk(server, "mixed.bin", "words\n", 2).status in (200, 201)
    assert chunk(server, "mixed.bin", _NOISE[:9], -1).status == 413


def test_in_a_binary_file_nothing_is_replaced(redacting: JupyterServer) -> None:
    secret = make_secret("not replaced")
    data = _NOISE[:50_000] + b"\0" + line(secret).encode() + _NOISE[:50_000]
    reply = save(redacting, "keys.bin", data)
    assert reply.status == 422
    assert "binary" in reply.message
    assert save(redacting, "wide.txt", line(secret).encode("utf-16-le")).status in (200, 201)
    assert "redacted" in (redacting.root / "wide.txt").read_bytes().decode("utf-16-le")
    assert redacting.leaks(secret) == []
