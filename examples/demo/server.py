"""A real Jupyter server in a folder of its own, and a client that speaks to it as JupyterLab does."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

_START_SECONDS = 100
_REQUEST_SECONDS = 60
_OTHERS = (
    "jupyterlab",
    "notebook",
    "notebook_shim",
    "jupyter_lsp",
    "jupyter_server_terminals",
    "jupyter_server_ydoc",
)
"""Extensions that may be installed here too and that the demonstration does not need."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """What a client shows to its user; empty if there is nothing."""
        return str(self.json.get("message") or "")


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one run: everything that the server and the commands write lies below it."""

    folder: Path

    @property
    def root(self) -> Path:
        """What the server serves."""
        return self.folder / "work"

    def make(self) -> Place:
        """Make the folders."""
        for name in ("work", "home", "tmp", "config", "runtime"):
            (self.folder / name).mkdir(parents=True)
        return self

    def environment(self) -> dict[str, str]:
        """Variables for programs of this run. Compiled rules are the only thing it shares with others."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "QGUARD", "XDG_"))}
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return kept | {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": cache,
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
        }

    def holding(self, *texts: str) -> list[Path]:
        """Every file below the folder that holds one of *texts*: notebooks, checkpoints, temporary files, logs."""
        wanted = [text.encode() for text in texts]
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [path.relative_to(self.folder) for path in files if any(text in path.read_bytes() for text in wanted)]


class Client:
    """Speaks to a running server."""

    def __init__(self, port: int, token: str) -> None:
        """*token*: the server's."""
        self._port = port
        self._token = token

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_REQUEST_SECONDS)
        headers = {"Authorization": f"token {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, quote(path, safe="/?="), json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def save(self, name: str, document: Mapping[str, Any]) -> Answer:
        """Save a notebook as JupyterLab does."""
        return self.ask("PUT", f"/api/contents/{name}", {"type": "notebook", "format": "json", "content": document})

    def override(self, identifier: str, reason: str) -> Answer:
        """Ask to let one refused save through. The token is the proof of the person, where a floor policy asks."""
        body = {"id": identifier, "reason": reason, "proof": self._token}
        return self.ask("POST", "/qguard/api/v1/overrides", body)


@contextmanager
def jupyter_server(place: Place, *, guarded: bool) -> Iterator[Client]:
    """Run Jupyter Server on a free port of the loopback interface. Raises RuntimeError if it does not come up."""
    extensions = dict.fromkeys(_OTHERS, False) | ({} if guarded else {"jupyter_qguard": False})
    config = {"ServerApp": {"jpserver_extensions": extensions}}
    (place.folder / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
    port, token, log = _free_port(), secrets.token_hex(24), place.folder / "server.log"
    command = [sys.executable, "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={place.root}", "--no-browser", "--allow-root"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=place.folder,
            env=place.environment() | {"JUPYTER_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        client = Client(port, token)
        _wait(client, process, log, "/qguard/api/v1/status" if guarded else "/api/status", guarded=guarded)
        yield client
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(client: Client, process: subprocess.Popen[bytes], log: Path, path: str, *, guarded: bool) -> None:
    """Wait until the server answers and, where it is guarded, its rules are loaded."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answer = client.ask("GET", path)
        except OSError:
            time.sleep(0.1)
            continue
        if answer.status == http.client.OK and (not guarded or answer.json["workers"]["ready"] > 0):
            return
        time.sleep(0.1)
    message = "the Jupyter server did not come up:\n" + log.read_text("utf-8", "replace")[-3000:]
    raise RuntimeError(message)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
