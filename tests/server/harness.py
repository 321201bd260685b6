"""A real Jupyter server in a process of its own, with its own home, root and temporary folder, and a client for it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

_TRIES = 600
_PAUSE = 0.05


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The words of an error."""
        return str(self.json["message"])


class JupyterServer:
    """Started by :meth:`start`, stopped by :meth:`stop`. With ``guarded=False`` it is a stock server."""

    def __init__(
        self,
        folder: Path,
        *,
        guarded: bool = True,
        options: dict[str, Any] | None = None,
        policy: str = "",
        extensions: tuple[str, ...] | None = (),
        python: str = sys.executable,
    ) -> None:
        """Lay out *folder*; *options* are traits, *policy* is the text of a policy file, *extensions* are those of
        the installed ones that run beside ours, None for what is enabled where *python* is installed."""
        self.extensions = extensions
        self.python = python
        self.folder = folder
        self.root, self.home, self.temp = (folder / name for name in ("root", "home", "tmp"))
        for place in (self.root, self.home, self.temp):
            place.mkdir(parents=True)
        (self.home / "data").mkdir()  # jupyter_server_fileid keeps its database there, and does not make it
        self.guarded = guarded
        self.token = secrets.token_hex(16)
        self.options = options or {}
        self.policy_file = folder / "policy.yaml"
        if policy:
            self.policy_file.write_text(policy)
        self.log_file = folder / "server.log"
        self.port = 0
        self.answers = True
        """Whether the guard's own interface will tell when its scanner is ready."""
        self.environment: dict[str, str] = {}
        self.works_in = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All it has logged."""
        return self.log_file.read_text(errors="replace")

    def start(self) -> JupyterServer:
        """Start it and wait until it answers, and until its scanner is ready."""
        self.port = _free_port()
        config = self.folder / "config"
        config.mkdir(exist_ok=True)
        traits: dict[str, Any] = {
            "QGuardApp.workers": 1,
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": str(self.root),
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "IdentityProvider.token": self.token,
            **self.options,
        }
        if self.extensions is not None:
            extensions = {**_others(self.extensions), "jupyter_qguard": self.guarded}
            traits["ServerApp.jpserver_extensions"] = extensions
        sections: dict[str, dict[str, Any]] = {}
        for name, value in traits.items():
            section, trait = name.split(".")
            sections.setdefault(section, {})[trait] = value
        (config / "jupyter_server_config.json").write_text(json.dumps(sections))
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [self.python, "-m", "jupyter_server"],
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=self.works_in,
            )
        self._wait()
        return self

    def stop(self) -> None:
        """Stop it, as a service manager would."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def exit_code(self) -> int | None:
        """With which it ended by itself; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, token: bool = True
    ) -> Reply:
        """Send one request; *body* is sent as JSON unless it is bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = dict(headers or {})
        if token:
            sent.setdefault("Authorization", f"token {self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, quote(path, safe="/?=&%"), body=data, headers=sent)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def save(self, path: str, content: Any, **model: Any) -> Reply:
        """PUT a notebook (an object) or a text file (a string)."""
        notebook = not isinstance(content, str)
        kind = {"type": "notebook", "format": "json"} if notebook else {"type": "file", "format": "text"}
        return self.request("PUT", f"/api/contents/{path}", {**kind, "content": content, **model})

    def status(self) -> Any:
        """The guard's own status."""
        return self.request("GET", "/qguard/api/v1/status").json

    def leaks(self, secret: str) -> list[Path]:
        """The files below root, home and temporary folder that hold *secret*, raw or in an encoding."""
        needles = encodings(secret)
        places = (self.root, self.home, self.temp)
        files = (file for place in places for file in place.rglob("*") if file.is_file())
        return [file for file in files if any(needle in file.read_bytes() for needle in needles)]

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "VIRTUAL_ENV", "PYTHONPATH")
        }
        own = {
            "HOME": str(self.home),
            "TMPDIR": str(self.temp),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": os.environ.get("QGUARD_TEST_CACHE", str(Path.home() / ".cache")),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if self.policy_file.exists():
            own["QGUARD_POLICY"] = str(self.policy_file)
        return {**kept, **own, **self.environment}

    def _wait(self) -> None:
        for _ in range(_TRIES):
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                if self.request("GET", "/api/status").status == 200 and (
                    not (self.guarded and self.answers) or self._warm()
                ):
                    return
            except OSError:
                pass
            time.sleep(_PAUSE)
        raise AssertionError(f"the server did not come up:\n{self.log[-4000:]}")

    def _warm(self) -> bool:
        workers = self.status()["workers"]
        assert not workers["trouble"], workers["trouble"]
        return bool(workers["ready"] == workers["size"])


def encodings(secret: str) -> list[bytes]:
    """*secret* as it could lie in a file: raw, JSON-escaped, and inside of base64 at each of its three alignments."""
    raw = secret.encode()
    forms = [raw, json.dumps(secret)[1:-1].encode()]
    for shift in range(3):
        # Drop the characters that depend on the neighbours.
        encoded = base64.b64encode(b"\0" * shift + raw)
        forms.append(encoded[(4 if shift else 0) : len(encoded) - 4])
    return forms


def _others(wanted: tuple[str, ...]) -> dict[str, bool]:
    """Which of the extensions that are installed here are on."""
    found: dict[str, bool] = {}
    for file in Path(sys.prefix, "etc/jupyter/jupyter_server_config.d").glob("*.json"):
        found.update(json.loads(file.read_text())["ServerApp"].get("jpserver_extensions", {}))
    return {name: name in wanted for name in found} | dict.fromkeys(wanted, True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
