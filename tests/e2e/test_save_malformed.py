"""A malformed document is refused with the reason, never crashes the server, and never replaces what is on the disk."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server.harness import JupyterServer, Reply
from tests.server.planted import as_file, call, code, line, make_secret, notebook, old_notebook, stream

pytestmark = pytest.mark.e2e
PATH = "kept.ipynb"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    started = JupyterServer(tmp_path_factory.mktemp("malformed"))
    try:
        yield started.start()
    finally:
        started.stop()


def nested(levels: int, inmost: str) -> Any:
    value: Any = inmost
    for _ in range(levels):
        value = [value]
    return value


def a_notebook(text: str, **keys: Any) -> dict[str, Any]:
    return {**notebook(code(text)), **keys}


def file_of(text: str) -> bytes:
    return as_file(a_notebook(text)).encode()


CONTENTS: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "a list": lambda text: [text],
    "a number": lambda _: 7,
    "a string": lambda text: as_file(a_notebook(text)),
    "no cells": lambda text: {"metadata": {"text": text}, "nbformat": 4, "nbformat_minor": 5},
    "cells that are no list": lambda text: a_notebook(text, cells={"0": text}),
    "a cell that is no object": lambda text: a_notebook(text, cells=[text]),
    "a cell that is null": lambda text: a_notebook(text, cells=[code(text), None]),
    "a cell without a type": lambda text: a_notebook(text, cells=[{"source": text}]),
    "a cell whose type is a list": lambda text: a_notebook(text, cells=[{**code(text), "cell_type": ["code"]}]),
    "outputs that are no list": lambda text: a_notebook(text, cells=[{**code("1"), "outputs": stream(text)}]),
    "an output that is a string": lambda text: a_notebook(text, cells=[{**code("1"), "outputs": [text]}]),
    "an output without a type": lambda text: a_notebook(text, cells=[{**code("1"), "outputs": [{"text": text}]}]),
    "metadata that is a string": lambda text: a_notebook(text, metadata=text),
    "worksheets that are no list": lambda text: {"worksheets": text, "nbformat": 3, "nbformat_minor": 0},
    "nbformat as a string": lambda text: a_notebook(text, nbformat="4"),
    "nbformat null": lambda text: a_notebook(text, nbformat=None),
    "no nbformat": lambda text: {"cells": [code(text)], "metadata": {}},
    "nbformat 5": lambda text: a_notebook(text, nbformat=5),
    "half a surrogate pair": lambda text: a_notebook(f"{text}\ud800"),
    "half a surrogate pair in a key": lambda text: a_notebook(text, metadata={"\udfff": text}),
    "500 levels": lambda text: a_notebook("1", metadata={"deep": nested(500, text)}),
    "900 levels of outputs": lambda text: a_notebook("1", cells=[{**code("1"), "outputs": nested(900, text)}]),
}
FILES: dict[str, Callable[[str], bytes]] = {
    "an empty object": lambda _: b"{}",
    "a list": lambda text: json.dumps([text]).encode(),
    "no JSON": str.encode,
    "cut off": lambda text: file_of(text)[:-20],
    "two documents": lambda text: file_of(text) * 2,
    "invalid UTF-8": lambda text: file_of(text).replace(b'"cells"', b'"\xff": 1, "cells"'),
    "UTF-16": lambda text: file_of(text).decode().encode("utf-16"),
    "a NUL byte": lambda text: file_of(text).replace(b"{", b"{\0", 1),
    "NUL bytes only": lambda _: b"\0" * 100,
    "a picture": lambda text: b"\x89PNG\r\n\0\0\1" + text.encode(),
    "a key twice": lambda text: file_of(text).rstrip()[:-1] + b', "cells": []}',
    "a key twice in a cell": lambda text: file_of(text).replace(b'"outputs"', b'"source": [], "outputs"'),
    "100 000 levels": lambda text: file_of(text).rstrip()[:-1] + b', "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of 10 000 digits": lambda text: file_of(text).rstrip()[:-1] + b', "a": ' + b"1" * 10_000 + b"}",
}
BODIES: dict[str, bytes] = {
    "no JSON": b"{",
    "100 000 levels": b"[" * 100_000,
    "half a surrogate pair": b'{"type":"file","format":"text","content":"\\ud800"}',
    "a format that is a list": b'{"type":"file","format":["text"],"content":"a"}',
    "no format": b'{"type":"file","content":"a"}',
    "a type that is unknown": b'{"type":"socket","format":"text","content":"a"}',
    "no base64": b'{"type":"file","format":"base64","content":"\xc3\xa9"}',
    "a chunk that is a string": b'{"type":"file","format":"text","content":"a","chunk":"1"}',
    "a chunk 0": b'{"type":"file","format":"text","content":"a","chunk":0}',
    "a chunk -2": b'{"type":"file","format":"text","content":"a","chunk":-2}',
    "a chunk of a notebook": b'{"type":"notebook","format":"json","content":{"cells":[]},"chunk":1}',
    "a folder over a file": b'{"type":"directory"}',
}


def put_content(server: JupyterServer, content: Any) -> Reply:
    return server.save(PATH, content, type="notebook", format="json")


def put_file(server: JupyterServer, data: bytes) -> Reply:
    return server.save(PATH, base64.b64encode(data).decode(), type="file", format="base64")


def kept(server: JupyterServer) -> bytes:
    """The bytes of a good notebook, freshly saved."""
    assert server.save(PATH, notebook(code("1"))).status in (200, 201)
    return (server.root / PATH).read_bytes()


def assert_refused(reply: Reply) -> None:
    assert reply.status == 422, reply.body
    assert reply.message.startswith(f"{PATH} was not saved: ")
    assert "Nothing was written and nothing is lost" in reply.message


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_content_that_is_no_notebook_is_refused(server: JupyterServer, content: Callable[[str], Any]) -> None:
    before = kept(server)
    assert_refused(put_content(server, content("print(1)")))
    assert (server.root / PATH).read_bytes() == before


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_file_that_is_no_notebook_is_refused(server: JupyterServer, data: Callable[[str], bytes]) -> None:
    before = kept(server)
    assert_refused(put_file(server, data("print(1)")))
    assert (server.root / PATH).read_bytes() == before


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_no_secret_passes_in_what_is_no_notebook(server: JupyterServer, content: Callable[[str], Any]) -> None:
    secret = make_secret("malformed content")
    assert put_content(server, content(call(secret))).status < 500
    assert server.leaks(secret) == []
    assert secret not in server.log


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_no_secret_passes_in_a_file_that_is_no_notebook(server: JupyterServer, data: Callable[[str], bytes]) -> None:
    secret = make_secret("malformed file")
    assert put_file(server, data(call(secret))).status < 500
    assert server.leaks(secret) == []


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_request_that_makes_no_sense_changes_nothing(server: JupyterServer, body: bytes) -> None:
    before = kept(server)
    reply = server.request("PUT", f"/api/contents/{PATH}", body)
    assert reply.status in (400, 422), reply.body
    assert (server.root / PATH).read_bytes() == before


def test_no_type_anywhere_in_a_notebook_crashes_a_save(server: JupyterServer) -> None:
    result = {"output_type": "execute_result", "data": {"text/plain": "a"}, "metadata": {}, "execution_count": 1}
    error = {"output_type": "error", "ename": "a", "evalue": "b", "traceback": ["c"]}
    attached = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "x", "attachments": {"a": {"b/c": "d"}}}
    document = notebook(code("1", stream("a"), result, error), attached, kernelspec={"name": "p", "display_name": "P"})
    crashes = [
        (place, value, reply.message)
        for original in (document, old_notebook("1"))
        for place in places(original)
        for value in (None, 1, [], {"a": 1})
        if (reply := put_content(server, replaced(original, place, value))).status >= 500
    ]
    assert crashes == []


def places(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to each value inside of *value*."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*here, key)
        yield from places(item, (*here, key))


def replaced(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    at = changed
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return changed


def test_what_jupyter_itself_writes_is_accepted_and_read(server: JupyterServer) -> None:
    """``NaN`` is no JSON and nbformat 2 is out of date, but Jupyter writes both; so the guard looks into them."""
    secret = make_secret("odd")
    odd = ({"nbformat": 2}, {"metadata": {"loss": float("nan")}})
    for keys in odd:
        original = old_notebook if "nbformat" in keys else a_notebook
        for put in (put_content, lambda server, document: put_file(server, as_file(document).encode())):
            assert put(server, {**original("print(1)"), **keys}).status in (200, 201)
            assert put(server, {**original(call(secret)), **keys}).status == 422
    assert put_content(server, notebook(code("1"), deep=nested(150, line(secret)))).status == 200
    assert put_file(server, b"\xef\xbb\xbf" + file_of(call(secret))).status == 422
    assert server.leaks(secret) == []
