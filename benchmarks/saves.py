"""What a save costs: ``python -m benchmarks.saves``. A guarded server beside a stock one, saves in turn.

Each notebook is saved to both servers, one after the other, and the ratio of the pair counts: seconds mean nothing on
a noisy machine. *First* is content the guard has never seen, *edit* the same content with one cell changed, *same* the
very same content again. The clients keep their connection. Event-loop delay is noted inside of each server.
"""

from __future__ import annotations

import gc
import http.client
import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, NamedTuple

import click
import msgspec

from benchmarks.generated import MEGABYTE, Writer
from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.cells import CellScanner
from jupyter_qguard.server.known import KnownNotebooks
from jupyter_qguard.server.prepared import prepare_notebook
from tests.server.harness import JupyterServer

FIRST, EDIT, SAME = "first", "edit", "same"


class Client:
    """A kept connection to one server."""

    def __init__(self, server: JupyterServer) -> None:
        """Connect."""
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        self._headers = {"Authorization": f"token {server.token}", "Content-Type": "application/json"}

    def save(self, body: bytes) -> tuple[float, float]:
        """Seconds of a save, and the longest that the event loop was held meanwhile."""
        self._ask("GET", "/loop")
        started = perf_counter()
        self._ask("PUT", "/api/contents/measured.ipynb", body)
        seconds = perf_counter() - started
        return seconds, json.loads(self._ask("GET", "/loop"))["longest"]

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self._connection.request(method, path, body, self._headers)
        reply = self._connection.getresponse()
        content = reply.read()
        if reply.status not in (200, 201):
            message = f"{method} {path}: {reply.status} {content[:300].decode(errors='replace')}"
            raise click.ClickException(message)
        return content


@dataclass(slots=True)
class Pairs:
    """Saves of one kind, each to the stock and to the guarded server."""

    stock: list[tuple[float, float]] = field(default_factory=list)
    guarded: list[tuple[float, float]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median over the pairs of guarded to stock."""
        return statistics.median(ours[0] / theirs[0] for ours, theirs in zip(self.guarded, self.stock, strict=True))

    @property
    def undisturbed(self) -> float:
        """The same of the lower quartiles: what the ratio comes to where nobody else kept the processors busy."""
        quick = [statistics.quantiles([run[0] for run in runs])[0] for runs in (self.guarded, self.stock)]
        return quick[0] / quick[1]

    @property
    def held(self) -> float:
        """Median over the pairs of how much longer the loop was held, in seconds."""
        return statistics.median(ours[1] - theirs[1] for ours, theirs in zip(self.guarded, self.stock, strict=True))


@contextmanager
def servers(folder: Path) -> Iterator[tuple[JupyterServer, JupyterServer]]:
    """A stock and a guarded server."""
    with ExitStack() as stack:
        started = []
        for name, guarded in (("stock", False), ("guarded", True)):
            server = JupyterServer(
                folder / name,
                guarded=guarded,
                extensions=("benchmarks.loop_watch",),
                options={"ServerApp.max_body_size": 1 << 30, "ServerApp.max_buffer_size": 1 << 30},
            )
            server.environment["PYTHONPATH"] = str(Path(__file__).parents[1])
            stack.callback(server.stop)
            started.append(server.start())
        yield started[0], started[1]


def measure(clients: tuple[Client, Client], kind: str, size: int, rounds: int) -> dict[str, Pairs]:
    """Save notebooks of one kind and size to both, in turn; who goes first changes from pair to pair."""
    pairs = {FIRST: Pairs(), EDIT: Pairs(), SAME: Pairs()}
    for number in range(rounds + 1):
        writer = Writer(size + number)
        document = writer.text_heavy(size) if kind == "text" else writer.image_heavy(size)
        for what in (FIRST, EDIT, SAME, EDIT, SAME):
            if what is EDIT:
                edit(document, number)
            body = json.dumps({"type": "notebook", "format": "json", "content": document}).encode()
            order = (0, 1) if number % 2 else (1, 0)
            taken = {which: clients[which].save(body) for which in order}
            if number:  # the first round warms both
                pairs[what].stock.append(taken[0])
                pairs[what].guarded.append(taken[1])
    return pairs


def edit(document: dict[str, Any], number: int, place: int | None = None) -> None:
    """Change one cell, that in the middle if no other is said, as a person would who goes on working."""
    cells = document["cells"]
    source = cells[len(cells) // 2 if place is None else place]["source"]
    source.append(f"\nstep_{number}_{len(source)} = {len(source)}  # goes on")


class Edited(NamedTuple):
    """Seconds that the parts of a save take after one cell was edited, beside those of encoding all cells anew."""

    anew: list[float]
    encoding: list[float]
    """And comparing each cell with what is known."""
    asking: list[float]
    """Telling the worker what is new."""
    scanning: list[float]


def edited_cell(size: int, rounds: int) -> tuple[int, Edited]:
    """Cells of a text-heavy notebook, and what a save takes when one of them, any, was edited."""
    scanner, known = CellScanner(Scanner.load(ScanSettings(bytes(32))), msgspec.msgpack.decode), KnownNotebooks(1 << 30)
    document, random, taken = Writer(size).text_heavy(size), Random(size), Edited([], [], [], [])
    gc.disable()  # as a worker does
    for number in range(rounds + 1):
        if number:
            edit(document, number, random.randrange(len(document["cells"])))
        points = [perf_counter()]
        prepare_notebook(document, "x.ipynb")
        points.append(perf_counter())
        prepared = prepare_notebook(document, "x.ipynb", known.parts("x.ipynb"))
        points.append(perf_counter())
        request, new = known.question(prepared, "x.ipynb")
        points.append(perf_counter())
        scanner.scan(new, request.places, request.base, request.number)
        points.append(perf_counter())
        known.keep(request.number, prepared, "x.ipynb")
        if number:
            for times, (start, end) in zip(taken, pairwise(points), strict=True):
                times.append(end - start)
    gc.enable()
    return len(document["cells"]), taken


def memory(server: JupyterServer) -> float:
    """MB that the scanning process of *server* has come to."""
    pid = server.status()["workers"]["pids"][0]
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) / 1000 if found else 0.0


def set_up(server: JupyterServer) -> float:
    """Milliseconds that the extension takes of the server's start, as it says itself."""
    found = re.search(r"set up in (\d+) ms", server.log)
    if found is None:
        message = "the server does not say how long its set-up took"
        raise click.ClickException(message)
    return float(found.group(1))


def import_time(rounds: int) -> float:
    """Milliseconds that importing the extension adds to a server's start, by the median of several processes."""
    code = (
        "import time, jupyter_server.serverapp; started = time.perf_counter(); import jupyter_qguard.server.app;"
        "print(time.perf_counter() - started)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(rounds)]
    return statistics.median(float(run.stdout) for run in runs) * 1000


def table(rows: list[tuple[str, int, str, Pairs]]) -> str:
    """Markdown."""
    lines = [
        "| notebook | save | stock s | guarded s | ratio | of lower quartiles | loop held, stock ms | guarded ms | more |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, megabytes, what, pairs in rows:
        stock, guarded = (statistics.median(run[0] for run in runs) for runs in (pairs.stock, pairs.guarded))
        held = [statistics.median(run[1] for run in runs) * 1000 for runs in (pairs.stock, pairs.guarded)]
        lines.append(
            f"| {kind} {megabytes} MB | {what} | {stock:.3f} | {guarded:.3f} | **{pairs.ratio:.3f}** |"
            f" {pairs.undisturbed:.3f} | {held[0]:.0f} | {held[1]:.0f} | {pairs.held * 1000:+.0f} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--rounds", default=9, show_default=True, help="Notebooks of each kind and size.")
@click.option("--size", "sizes", multiple=True, type=int, default=(1, 10, 50), show_default=True, help="Megabytes.")
@click.option("--kind", "kinds", multiple=True, default=("text", "image"), show_default=True)
def main(rounds: int, sizes: tuple[int, ...], kinds: tuple[str, ...]) -> None:
    """Compare saves."""
    names = ("jupyter_server", "nbformat", "tornado", "hyperscan", "kingfisher-secret-scanner")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    click.echo(f"Python {platform.python_version()}, {sys.platform} {platform.machine()}; {versions}\n")
    rows: list[tuple[str, int, str, Pairs]] = []
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (stock, guarded):
        clients = (Client(stock), Client(guarded))
        for kind in kinds:
            for megabytes in sizes:
                few = max(rounds // 3, 2) if megabytes > 10 else rounds
                pairs = measure(clients, kind, megabytes * MEGABYTE, few)
                rows += [(kind, megabytes, what, pairs[what]) for what in pairs]
        for client in clients:
            client.close()
        click.echo(table(rows))
        started = f"import {import_time(5):.0f} ms, set-up {set_up(guarded):.0f} ms"
        click.echo(f"\nof a server's start the extension takes: {started}")
        click.echo(f"most memory of the scanning process: {memory(guarded):.0f} MB")
    for megabytes in sizes:
        cells, taken = edited_cell(megabytes * MEGABYTE, 10 * rounds)
        anew, encoding, asking, scanning = (statistics.median(times) * 1000 for times in taken)
        worst = statistics.quantiles(taken.scanning, n=10)[-1] * 1000
        click.echo(
            f"an edited cell of {cells}, text {megabytes} MB: scan {scanning:.1f} ms (one in ten {worst:.1f} ms or more),"
            f" telling what is new {asking:.1f} ms; encoding all and comparing {encoding:.1f} ms, anew {anew:.1f} ms"
        )


if __name__ == "__main__":
    main()
