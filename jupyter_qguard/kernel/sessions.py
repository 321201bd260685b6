"""Where AWS's clients in this kernel and its children fetch short-lived keys: on loopback, as in a container of ECS.

The protocol is AWS's own, so that every client knows it and asks again when a session runs out. Each request is passed on
to the gateway; nothing is kept here.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from jupyter_qguard.errors import QGuardError
from jupyter_qguard.kernel.channel import the_channel

_PATIENCE = 60.0
"""Seconds: the gateway may have to fetch a new session."""
_OK, _REFUSED = 200, 403


class _Handler(BaseHTTPRequestHandler):
    """One request for keys."""

    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """Give them to who knows the token."""
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), self.server.token.encode()):
            self._answer(_REFUSED, {"code": "Refused", "message": "qguard: this is for clients of this kernel only"})
            return
        try:
            keys = the_channel().ask("session", patience=_PATIENCE, name=unquote(self.path[1:]))
        except QGuardError as error:
            self._answer(_REFUSED, {"code": "Refused", "message": f"qguard: {error}"})
            return
        self._answer(_OK, keys)

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: it would stand below the user's cell."""


class _Server(ThreadingHTTPServer):
    """On a port of loopback that the system chooses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = secrets.token_urlsafe(24)
        threading.Thread(target=self.serve_forever, name="qguard-sessions", daemon=True).start()


_serving: list[_Server] = []


def serve(name: str) -> dict[str, str]:
    """The variables that lead AWS's clients to the keys of what is lent as *name*."""
    if not _serving:
        _serving.append(_Server())
    (server,) = _serving
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/{quote(name, safe='')}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": server.token,
    }
