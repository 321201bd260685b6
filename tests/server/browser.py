"""A real Chromium, and another host that notices whatever reaches it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import sync_playwright

_OPTIONS = (
    "--no-sandbox",  # root in a container has no namespaces to give it
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium, headless."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is not installed: .ci/prepare dev does that on Debian"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class OtherHost:
    """Listens on a port of its own, which makes it another origin; remembers the first line of whatever came."""

    port: int
    requests: list[str] = field(default_factory=list)
    """Not connections without a word: Chromium opens some ahead of a request, which its policy then stops."""

    @classmethod
    @contextlib.contextmanager
    def listening(cls) -> Iterator[OtherHost]:
        """One that listens for as long as the context lasts."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host = cls(listener.getsockname()[1])
            thread = threading.Thread(target=host._serve, args=(listener,))
            thread.start()
            try:
                yield host
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                line = connection.recv(2000).split(b"\r\n")[0].decode("latin1")
                if line:
                    self.requests.append(line)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
