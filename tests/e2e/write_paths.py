"""Every way by which a client can make a Jupyter server write, each as one function that tries to get a secret there.

A function gets a server, a name that no other one uses, and the secret. It returns the replies, and the files into
which it put the secret itself, as a kernel or terminal would.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server.harness import JupyterServer, Reply
from tests.server.planted import as_file, call, code, in_output, in_source, line, notebook, old_notebook


@dataclass(frozen=True)
class Tried:
    """What a way did."""

    replies: list[Reply]
    planted: tuple[Path, ...] = ()

    @property
    def last(self) -> int:
        """Status of the last reply."""
        return self.replies[-1].status


Way = Callable[[JupyterServer, str, str], Tried]
REFUSED: dict[str, Way] = {}
"""Ways that are refused."""
REDACTED: dict[str, Way] = {}
"""Ways on which the write happens without the secret."""


def _refused(way: Way) -> Way:
    REFUSED[way.__name__] = way
    return way


def _redacted(way: Way) -> Way:
    REDACTED[way.__name__] = way
    return way


def _base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


def _chunks(server: JupyterServer, path: str, pieces: list[str], form: str = "base64") -> list[Reply]:
    replies = []
    for number, piece in enumerate(pieces, 1):
        content = base64.b64encode(piece.encode()).decode() if form == "base64" else piece
        chunk = -1 if number == len(pieces) else number
        replies.append(server.save(path, content, type="file", format=form, chunk=chunk))
    return replies


@_refused
def new_notebook(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.ipynb", in_source(secret))])


@_refused
def notebook_over_a_clean_one(server: JupyterServer, name: str, secret: str) -> Tried:
    path = f"{name}.ipynb"
    return Tried([server.save(path, notebook(code("1"))), server.save(path, in_source(secret))])


@_refused
def notebook_of_nbformat_3(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.ipynb", old_notebook(secret))])


@_refused
def notebook_under_another_ending(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.dat", in_source(secret))])


@_refused
def text_file(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.env", line(secret))])


@_refused
def text_file_as_base64(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.py", _base64(call(secret)), format="base64")])


@_refused
def text_in_base64_with_strange_line_ends(server: JupyterServer, name: str, secret: str) -> Tried:
    content = "\n \t".join(base64.b64encode(line(secret).encode()).decode())
    return Tried([server.save(f"{name}.py", content, format="base64")])


@_refused
def notebook_file_as_text(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.ipynb", as_file(in_source(secret)))])


@_refused
def notebook_file_as_base64(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.IPYNB", _base64(as_file(in_source(secret))), format="base64")])


@_refused
def notebook_file_that_hides_cells_behind_a_second_key(server: JupyterServer, name: str, secret: str) -> Tried:
    text = as_file(in_source(secret)).rstrip().rstrip("}") + ', "cells": []}\n'
    return Tried([server.save(f"{name}.ipynb", text)])


@_refused
def chunks_with_the_secret_in_one(server: JupyterServer, name: str, secret: str) -> Tried:
    pieces = ["# nothing\n" * 10, line(secret), "# nothing\n" * 10]
    return Tried(_chunks(server, f"{name}.py", pieces))


@_refused
def chunks_with_the_secret_across_two(server: JupyterServer, name: str, secret: str) -> Tried:
    text = as_file(in_source(secret))
    middle = text.index(secret) + len(secret) // 2
    return Tried(_chunks(server, f"{name}.ipynb", [text[:middle], text[middle:]]))


@_refused
def chunks_of_text(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried(_chunks(server, f"{name}.txt", ["one\n", line(secret), "two\n"], form="text"))


@_refused
def chunk_appended_to_a_file_that_is_there(server: JupyterServer, name: str, secret: str) -> Tried:
    path = f"{name}.txt"
    first = server.save(path, "harmless\n")
    return Tried([first, server.save(path, line(secret), chunk=7)])


@_refused
def last_chunk_without_a_first(server: JupyterServer, name: str, secret: str) -> Tried:
    path = f"{name}.txt"
    first = server.save(path, "harmless\n")
    return Tried([first, server.save(path, line(secret), chunk=-1)])


@_refused
def copy_of_a_file_that_a_kernel_wrote(server: JupyterServer, name: str, secret: str) -> Tried:
    source = server.root / f"{name}.ipynb"
    source.write_text(as_file(in_source(secret)))
    return Tried([server.request("POST", "/api/contents/", {"copy_from": source.name})], (source,))


@_refused
def copy_of_a_folder(server: JupyterServer, name: str, secret: str) -> Tried:
    source = server.root / name / "inner" / "keys.env"
    source.parent.mkdir(parents=True)
    source.write_text(line(secret))
    return Tried([server.request("POST", "/api/contents/", {"copy_from": name})], (source,))


@_refused
def checkpoint_of_a_file_that_a_kernel_wrote(server: JupyterServer, name: str, secret: str) -> Tried:
    source = server.root / f"{name}.ipynb"
    source.write_text(as_file(in_source(secret)))
    return Tried([server.request("POST", f"/api/contents/{source.name}/checkpoints")], (source,))


@_refused
def checkpoint_of_a_saved_file_that_a_kernel_changed(server: JupyterServer, name: str, secret: str) -> Tried:
    source = server.root / f"{name}.ipynb"
    first = server.save(source.name, notebook(code("1")))
    source.write_text(as_file(in_source(secret)))
    return Tried([first, server.request("POST", f"/api/contents/{source.name}/checkpoints")], (source,))


@_refused
def restore_of_an_old_checkpoint(server: JupyterServer, name: str, secret: str) -> Tried:
    first = server.save(f"{name}.ipynb", notebook(code("1")))
    old = server.root / ".ipynb_checkpoints" / f"{name}-checkpoint.ipynb"
    assert old.is_file()
    old.write_text(as_file(in_source(secret)))
    return Tried([first, server.request("POST", f"/api/contents/{name}.ipynb/checkpoints/checkpoint")], (old,))


@_refused
def rename_of_a_text_that_a_kernel_wrote_to_a_notebook(server: JupyterServer, name: str, secret: str) -> Tried:
    """A rename writes nothing, but what is a notebook from then on must be fit to be one."""
    source = server.root / f"{name}.txt"
    source.write_text(as_file(in_source(secret)))
    return Tried([server.request("PATCH", f"/api/contents/{source.name}", {"path": f"{name}.ipynb"})], (source,))


@_redacted
def notebook_with_the_secret_in_an_output(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.ipynb", in_output(secret))])


@_redacted
def notebook_with_the_secret_in_metadata(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.ipynb", notebook(code("1"), note=line(secret)))])


@_redacted
def notebook_file_with_the_secret_in_an_output(server: JupyterServer, name: str, secret: str) -> Tried:
    return Tried([server.save(f"{name}.ipynb", as_file(in_output(secret)))])


@_redacted
def chunks_with_the_secret_in_an_output(server: JupyterServer, name: str, secret: str) -> Tried:
    text = as_file(in_output(secret))
    middle = text.index(secret) + 5
    return Tried(_chunks(server, f"{name}.ipynb", [text[:middle], text[middle:]]))


@_redacted
def copy_of_a_notebook_with_an_old_output(server: JupyterServer, name: str, secret: str) -> Tried:
    source = server.root / f"{name}.ipynb"
    source.write_text(as_file(in_output(secret)))
    return Tried([server.request("POST", "/api/contents/", {"copy_from": source.name})], (source,))


@_redacted
def checkpoint_of_a_notebook_with_an_old_output(server: JupyterServer, name: str, secret: str) -> Tried:
    source = server.root / f"{name}.ipynb"
    source.write_text(as_file(in_output(secret)))
    return Tried([server.request("POST", f"/api/contents/{source.name}/checkpoints")], (source,))


@_redacted
def restore_of_a_checkpoint_with_an_old_output(server: JupyterServer, name: str, secret: str) -> Tried:
    first = server.save(f"{name}.ipynb", notebook(code("1")))
    old = server.root / ".ipynb_checkpoints" / f"{name}-checkpoint.ipynb"
    old.write_text(as_file(in_output(secret)))
    return Tried([first, server.request("POST", f"/api/contents/{name}.ipynb/checkpoints/checkpoint")], (old,))


def written(server: JupyterServer, name: str) -> list[Any]:
    """The notebooks that lie on the disk under *name* or as its copy, parsed; fails where one is no JSON."""
    return [json.loads(file.read_text()) for file in server.root.rglob(f"{name}*.ipynb")]
