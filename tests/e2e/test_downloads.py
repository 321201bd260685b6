"""``/files`` sends text and notebooks redacted, in whole and in part, and everything else byte for byte."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.everywhere import everywhere
from tests.server.harness import JupyterServer, Reply, encodings
from tests.server.planted import as_file, call, in_source, line, make_secret

pytestmark = pytest.mark.e2e
MANAGERS = {
    "async": "jupyter_server.services.contents.largefilemanager.AsyncLargeFileManager",
    "sync": "jupyter_server.services.contents.largefilemanager.LargeFileManager",
}
SECRET = make_secret("downloaded")
FILES = {
    "n.ipynb": as_file(in_source(SECRET)).encode(),
    "N.IPYNB": as_file(in_source(SECRET)).encode(),
    "broken.ipynb": as_file(in_source(SECRET)).encode()[:-20],
    "keys.env": line(SECRET).encode(),
    "script.py": call(SECRET).encode(),
    "no_ending": b"\n" * 100_000 + line(SECRET).encode(),
    "wide.txt": line(SECRET).encode("utf-16"),
    "wide without a mark.txt": line(SECRET).encode("utf-16-le"),
    "wider.txt": line(SECRET).encode("utf-32"),
    "nul.log": b"\0" + line(SECRET).encode(),
    "marked.txt": b"\xff\xfe" + line(SECRET).encode(),
    "marked odd.txt": b"\xfe\xff\n" + line(SECRET).encode(),
    "latin.txt": "ü".encode("latin-1") + line(SECRET).encode(),
    "page.html": f"<p>QISKIT_IBM_TOKEN=<b>{SECRET}</b>".encode(),
    "server.log": f"\x1b[32m{line(SECRET)}\x1b[0m".encode(),
    "deep/er/ü ä.txt": line(SECRET).encode(),
}
BINARY = random.Random(7).randbytes(70_000) + b"\0 and words and words and words"

KEYS = BINARY + line(SECRET).encode() + BINARY


@pytest.fixture(scope="module", params=MANAGERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from _server(tmp_path_factory.mktemp("guarded"), MANAGERS[request.param], guarded=True)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from _server(tmp_path_factory.mktemp("stock"), MANAGERS["async"], guarded=False)


def _server(folder: Path, manager: str, *, guarded: bool) -> Iterator[JupyterServer]:
    server = JupyterServer(folder, guarded=guarded, options={"ServerApp.contents_manager_class": manager})
    for name, data in {**FILES, "data.bin": b"\0" + BINARY, "clean.txt": b"0123456789", "keys.bin": KEYS}.items():
        file = server.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    try:
        yield server.start()
    finally:
        server.stop()


def get(server: JupyterServer, name: str, method: str = "GET", **headers: str) -> Reply:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request(method, f"/files/{name}", headers=sent)


def holds_secret(data: bytes) -> bool:
    plain = (data, data.replace(b"\0", b""))
    return any(needle in each for needle in encodings(SECRET) for each in plain)


@pytest.mark.parametrize("name", FILES)
def test_text_is_sent_redacted_and_the_file_stays(server: JupyterServer, name: str) -> None:
    for query in ("", "?download=1"):
        reply = get(server, name + query)
        assert reply.status == 200
        assert not holds_secret(reply.body)
        assert b"redacted:" in reply.body.replace(b"\0", b"")
        assert reply.headers["x-qguard-redacted"] == "1"
        assert reply.headers["content-length"] == str(len(reply.body))
    assert (server.root / name).read_bytes() == FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_a_stock_server_sends_the_secret(stock: JupyterServer, name: str) -> None:
    assert holds_secret(get(stock, name).body)


def test_a_redacted_notebook_is_still_a_notebook(server: JupyterServer) -> None:
    document, secrets = everywhere(plain=False)
    (server.root / "everywhere.ipynb").write_text(as_file(document))
    reply = get(server, "everywhere.ipynb")
    assert len(json.loads(reply.body)["cells"]) == len(document["cells"])
    assert not any(needle in reply.body for secret in secrets.values() for needle in encodings(secret))
    assert reply.headers["content-disposition"].startswith("attachment")


def test_a_range_is_one_of_the_redacted_text(server: JupyterServer) -> None:
    whole = get(server, "keys.env").body
    for wanted, (start, end) in {"0-9": (0, 10), "5-": (5, len(whole)), "-8": (len(whole) - 8, len(whole))}.items():
        part = get(server, "keys.env", Range=f"bytes={wanted}")
        assert (part.status, part.body) == (206, whole[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    beyond = get(server, "keys.env", Range=f"bytes={len(whole)}-")
    assert (beyond.status, beyond.body) == (416, b"")
    assert get(server, "keys.env", Range="lines=1-2").body == whole


def test_no_two_ranges_make_up_the_secret(server: JupyterServer) -> None:
    size = len(FILES["keys.env"])
    pieces = [get(server, "keys.env", Range=f"bytes={at}-{at}") for at in range(size)]
    assert not holds_secret(b"".join(piece.body for piece in pieces if piece.status == 206))


def test_the_etag_is_that_of_what_is_sent(server: JupyterServer) -> None:
    first = get(server, "script.py")
    assert get(server, "script.py", If_None_Match=first.headers["etag"]).status == 304
    assert get(server, "script.py", "HEAD").headers["etag"] == first.headers["etag"]
    (server.root / "script.py").write_bytes(FILES["script.py"] + b"# changed\n")
    again = get(server, "script.py", If_None_Match=first.headers["etag"])
    assert again.status == 200
    assert again.headers["etag"] != first.headers["etag"]
    (server.root / "script.py").write_bytes(FILES["script.py"])
    # Another file with another secret in the same place looks the same once redacted.
    (server.root / "twin.py").write_text(call(make_secret("twin")))
    assert get(server, "twin.py").headers["etag"] == first.headers["etag"]


def test_a_head_has_the_headers_and_no_body(server: JupyterServer) -> None:
    head, reply = get(server, "keys.env", "HEAD"), get(server, "keys.env")
    assert head.body == b""
    for name in ("content-length", "content-type", "etag", "accept-ranges"):
        assert head.headers[name] == reply.headers[name]


def test_what_begins_like_utf_16_and_is_none_is_not_sent(server: JupyterServer) -> None:
    data = "one\n".encode("utf-16") + line(SECRET).encode()
    (server.root / "torn.txt").write_bytes(data + b"\n" * (len(data) % 2 == 0))
    reply = get(server, "torn.txt")
    assert reply.status == 503
    assert not holds_secret(reply.body)


def test_what_is_no_text_is_sent_as_it_is(server: JupyterServer) -> None:
    data = b"\0" + BINARY
    assert get(server, "data.bin").body == data
    assert get(server, "data.bin", Range="bytes=10-19").body == data[10:20]
    assert "x-qguard-redacted" not in get(server, "data.bin").headers


def test_a_binary_file_with_a_secret_in_the_clear_is_not_sent(server: JupyterServer) -> None:
    reply = get(server, "keys.bin")
    assert reply.status == 403
    assert SECRET.encode() not in reply.body
    assert get(server, "keys.bin", Range="bytes=70000-71000").status == 403


def test_clean_text_is_sent_as_it_is(server: JupyterServer) -> None:
    reply = get(server, "clean.txt")
    assert reply.body == b"0123456789"
    assert "x-qguard-redacted" not in reply.headers


@pytest.mark.parametrize("name", ["missing.txt", "deep", ".hidden", "../server.log", "%2e%2e/server.log"])
def test_what_the_server_itself_does_not_serve_is_not_served(server: JupyterServer, name: str) -> None:
    (server.root / ".hidden").write_text("hidden\n")
    reply = get(server, name)
    assert reply.status in (400, 403, 404)
    assert b"hidden\n" not in reply.body


def test_nobody_without_the_token_gets_a_file(server: JupyterServer) -> None:
    reply = server.request("GET", "/files/clean.txt", token=False)
    assert reply.status in (302, 403)
    assert b"0123456789" not in reply.body
