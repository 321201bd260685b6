"""Listens to the event bus of a server, as JupyterLab does."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from tests.server.harness import JupyterServer


class EventListener:
    """Collects the events of this package. A context manager."""

    def __init__(self, server: JupyterServer) -> None:
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/api/events/subscribe",
            header=[f"Authorization: token {server.token}"],
            timeout=60,
        )
        self._events: list[dict[str, Any]] = []
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> EventListener:  # noqa: PYI034 - Self is of 3.11
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join(10)

    def wait_for(self, **wanted: object) -> dict[str, Any]:
        """The first event that has these values; waits for it."""

        def found() -> dict[str, Any] | None:
            return next((event for event in self._events if wanted.items() <= event.items()), None)

        with self._came:
            assert self._came.wait_for(lambda: found() is not None, timeout=30), f"{wanted} not in {self._events}"
            event = found()
        assert event is not None
        return event

    def _listen(self) -> None:
        while True:
            try:
                text = self._socket.recv()
            except (OSError, websocket.WebSocketException):
                return
            if not text:
                return
            event = json.loads(text)
            if "qguard" in event.get("schema_id", ""):
                with self._came:
                    self._events.append(event)
                    self._came.notify_all()
