"""Takes part in a shared document, as JupyterLab with jupyter-collaboration does."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import websocket
from jupyter_ydoc import YNotebook, YUnicode
from pycrdt import create_sync_message, create_update_message, handle_sync_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.harness import JupyterServer

_SYNC, _AWARENESS, _RAW = 0, 1, 2


class Collaborator:
    """Has a document open. A context manager."""

    def __init__(self, server: JupyterServer, path: str) -> None:
        notebook = path.endswith(".ipynb")
        kind = {"format": "json", "type": "notebook"} if notebook else {"format": "text", "type": "file"}
        session = server.request("PUT", f"/api/collaboration/session/{path}", kind).json
        room = f"{kind['format']}:{kind['type']}:{session['fileId']}"
        self.document: Any = YNotebook() if notebook else YUnicode()
        self._changed = threading.Condition()
        self._replies: list[dict[str, Any]] = []
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/api/collaboration/room/{room}?sessionId={session['sessionId']}",
            header=[f"Authorization: token {server.token}"],
            timeout=60,
        )
        self._observed: Any = None
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Collaborator:  # noqa: PYI034 - Self is of 3.11
        self._thread.start()
        self._socket.send_binary(create_sync_message(self.document.ydoc))
        self.wait_until(lambda: bool(self.source["cells"] if isinstance(self.source, dict) else self.source))
        self._observed = self.document.ydoc.observe(self._send)
        return self

    def __exit__(self, *_: object) -> None:
        self.document.ydoc.unobserve(self._observed)
        self._socket.close()
        self._thread.join(10)

    @property
    def source(self) -> Any:
        """What the document holds now, for everybody."""
        return self.document.source

    def change(self, act: Callable[[Any], None]) -> None:
        """Change the document in one transaction."""
        with self._changed, self.document.ydoc.transaction():
            act(self.document)

    def save(self) -> dict[str, Any]:
        """Ask for a save, as Ctrl+S does. Returns the extension's answer."""
        self._replies.clear()
        self._socket.send_binary(bytes([_RAW, 4]) + b"save" + bytes([7]))
        self.wait_until(lambda: bool(self._replies))
        return self._replies[0]

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until the document, as it is for everybody, is as wanted."""
        with self._changed:
            assert self._changed.wait_for(holds, timeout=30), "the document did not become so"

    def _send(self, event: Any) -> None:
        self._socket.send_binary(create_update_message(event.update))

    def _listen(self) -> None:
        while True:
            try:
                message = self._socket.recv()
            except (OSError, websocket.WebSocketException):
                return
            if not message:
                return
            with self._changed:
                self._take(message)
                self._changed.notify_all()

    def _take(self, message: bytes) -> None:
        if message[0] == _SYNC:
            reply = handle_sync_message(message[1:], self.document.ydoc)
            if reply is not None:
                self._socket.send_binary(reply)
        elif message[0] == _RAW:
            self._replies.append(json.loads(message[message.index(b"{") :]))
