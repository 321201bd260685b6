"""Uploads in chunks: nothing of one is on the disk before the whole was judged, and nothing is left of one given up."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

import pytest

from tests.server.harness import JupyterServer, Reply
from tests.server.planted import as_file, call, in_output, in_source, line, make_secret

pytestmark = pytest.mark.e2e
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from _server(tmp_path_factory.mktemp("uploads"))


def _server(folder: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(folder, options={"QGuardApp.upload_limit": 32 * MEGABYTE})
    try:
        yield server.start()
    finally:
        server.stop()


def chunk(server: JupyterServer, path: str, data: bytes | str, number: int) -> Reply:
    text = isinstance(data, str)
    content = data if isinstance(data, str) else base64.b64encode(data).decode()
    return server.save(path, content, type="file", format="text" if text else "base64", chunk=number)


def upload(server: JupyterServer, path: str, pieces: list[bytes]) -> Reply:
    replies = [chunk(server, path, piece, number) for number, piece in enumerate(pieces[:-1], 1)]
    assert all(reply.status in (200, 201) for reply in replies), replies
    return chunk(server, path, pieces[-1], -1)


def waiting(server: JupyterServer) -> list[str]:
    """Names in the folder where chunks wait."""
    folder = server.home / "state" / "jupyter-qguard" / "uploads"
    return [file.name for file in folder.iterdir()] if folder.exists() else []


@pytest.mark.parametrize("offset", range(-2, 50, 7))
def test_a_secret_across_two_chunks_is_seen(server: JupyterServer, offset: int) -> None:
    secret = make_secret("across")
    for path, data in (("cut.py", call(secret).encode()), ("cut.ipynb", as_file(in_source(secret)).encode())):
        at = data.index(secret.encode()) + offset
        assert upload(server, path, [data[:at], data[at:]]).status == 422
    assert server.leaks(secret) == []


def test_a_secret_in_crumbs_is_seen(server: JupyterServer) -> None:
    secret = make_secret("crumbs")
    data = line(secret).encode()
    assert upload(server, "crumbs.env", [data[at : at + 3] for at in range(0, len(data), 3)]).status == 422
    assert server.leaks(secret) == []


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
@pytest.mark.parametrize("behind", [b"", b"\n", "one\n".encode("utf-16-le"), "one\n".encode("utf-16-le") + b"\n"])
def test_a_mark_of_utf_16_before_what_is_none_hides_nothing(server: JupyterServer, mark: bytes, behind: bytes) -> None:
    secret = make_secret("marked")
    data = mark + line(secret).encode() + behind
    if behind.startswith(b"o") and len(data) % 2 == 0:
        data += b"\n"  # else it is UTF-16, of which nobody can tell what was meant
    content = base64.b64encode(data).decode()
    assert server.save("marked.env", content, type="file", format="base64").status in (400, 422)
    assert chunk(server, "marked.env", data, 1).status in (200, 201)
    assert chunk(server, "marked.env", b"", -1).status in (400, 422)
    assert server.leaks(secret) == []


def test_base64_of_chunks_need_not_be_cut_at_four_characters(server: JupyterServer) -> None:
    """Contents managers decode each chunk by itself, so each is: what they would write is what is judged."""
    secret = make_secret("base64")
    whole = base64.b64encode(line(secret).encode()).decode()
    first, second = whole[:42], whole[42:]
    for number, piece in ((1, first), (-1, second)):
        reply = server.save("odd.env", piece, type="file", format="base64", chunk=number)
    assert reply.status in (400, 422)
    assert server.leaks(secret) == []


def test_nothing_is_there_before_the_last_chunk_and_the_old_file_stays_until_then(server: JupyterServer) -> None:
    secret = make_secret("early")
    assert server.save("old.txt", "old\n").status == 201
    assert chunk(server, "old.txt", "new\n", 1).status == 200
    assert chunk(server, "old.txt", line(secret), 2).status == 200
    assert (server.root / "old.txt").read_text() == "old\n"
    assert server.leaks(secret) == []
    assert waiting(server) == []
    assert chunk(server, "old.txt", "end\n", -1).status == 422
    assert (server.root / "old.txt").read_text() == "old\n"


def test_an_upload_that_is_begun_again_forgets_what_came_before(server: JupyterServer) -> None:
    secret = make_secret("again")
    assert chunk(server, "again.txt", line(secret), 1).status in (200, 201)
    assert upload(server, "again.txt", [b"one\n", b"two\n"]).status in (200, 201)
    assert (server.root / "again.txt").read_text() == "one\ntwo\n"
    assert server.leaks(secret) == []


@pytest.mark.parametrize("number", [1, 3, 7, 0, -2])
def test_a_chunk_out_of_turn_is_refused(server: JupyterServer, number: int) -> None:
    path, secret = f"turn{number}.txt", make_secret("turn")
    assert chunk(server, path, "one\n", 1).status in (200, 201)
    reply = chunk(server, path, line(secret), number)
    if number == 1:  # is a new beginning
        assert chunk(server, path, "end\n", -1).status == 422
    else:
        assert reply.status == 400
        assert "Nothing was written" in reply.message
        assert chunk(server, path, "end\n", -1).status == 400  # given up: the client has to begin again
    assert not (server.root / path).exists()
    assert server.leaks(secret) == []


def test_two_uploads_at_a_time_do_not_mix(server: JupyterServer) -> None:
    for number in (1, 2, -1):
        for path in ("left.txt", "right.txt"):
            assert chunk(server, path, f"{path} {number}\n", number).status in (200, 201)
    assert (server.root / "left.txt").read_text() == "left.txt 1\nleft.txt 2\nleft.txt -1\n"
    assert (server.root / "right.txt").read_text() == "right.txt 1\nright.txt 2\nright.txt -1\n"


def test_a_large_binary_upload_arrives_byte_for_byte(server: JupyterServer) -> None:
    data = b"\0" + random.Random(11).randbytes(15 * MEGABYTE)
    pieces = [data[at : at + 4 * MEGABYTE] for at in range(0, len(data), 4 * MEGABYTE)]
    assert upload(server, "large.bin", pieces).status in (200, 201)
    assert (server.root / "large.bin").read_bytes() == data


def test_uploads_together_have_a_limit(server: JupyterServer) -> None:
    piece = bytes(20 * MEGABYTE)
    assert chunk(server, "a.bin", piece, 1).status in (200, 201)
    full = chunk(server, "b.bin", piece, 1)
    assert full.status == 400
    assert "QGuardApp.upload_limit" in full.message
    assert chunk(server, "a.bin", b"end", -1).status in (200, 201)
    assert upload(server, "b.bin", [piece, b"end"]).status in (200, 201)


def test_a_redacted_upload_is_written_whole(server: JupyterServer) -> None:
    secret = make_secret("redacted upload")
    document = in_output(secret)
    document["cells"][0]["outputs"][0]["text"] += "x" * 9 * MEGABYTE
    data = as_file(document).encode()
    pieces = [data[at : at + 4 * MEGABYTE] for at in range(0, len(data), 4 * MEGABYTE)]
    assert upload(server, "long.ipynb", pieces).status in (200, 201)
    assert server.request("GET", "/api/contents/long.ipynb?content=1").status == 200
    assert (server.root / "long.ipynb").stat().st_size > 9 * MEGABYTE
    assert server.leaks(secret) == []


def test_nothing_is_left_when_the_server_is_killed(tmp_path: Path) -> None:
    secret = make_secret("killed upload")
    generator = _server(tmp_path / "server")
    server = next(generator)
    assert chunk(server, "k.env", line(secret), 1).status in (200, 201)
    server.kill()
    assert waiting(server) == []
    assert server.leaks(secret) == []
    server.start()
    assert chunk(server, "k.env", "end\n", -1).status == 400
    assert upload(server, "k.env", [b"one\n", b"two\n"]).status in (200, 201)
    generator.close()


def test_two_clients_that_upload_one_path_at_once_get_no_mixture_past_the_guard(server: JupyterServer) -> None:
    """Chunks name no upload, so theirs are told apart by nothing: whatever comes of it is judged as a whole."""
    secret = make_secret("two clients")
    text = line(secret)
    clients = ([text[:20], "one\n", "two\n"], ["three\n", text[20:], "four\n"])

    def send(pieces: list[str]) -> list[int]:
        return [
            chunk(server, "shared.txt", piece, number).status for piece, number in zip(pieces, (1, 2, -1), strict=True)
        ]

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            statuses = [status for each in pool.map(send, clients) for status in each]
        assert set(statuses) <= {200, 201, 400, 422}
        assert server.leaks(secret) == []
    for order in permutations(range(4), 4):
        pieces = ["a\n", text[:20], text[20:], "b\n"]
        replies = [
            chunk(server, "mixed.txt", pieces[at], number) for at, number in zip(order, (1, 2, 3, -1), strict=True)
        ]
        assert all(reply.status in (200, 201) for reply in replies[:-1])
        if secret in "".join(pieces[at] for at in order):
            assert replies[-1].status == 422
    assert server.leaks(secret) == []
