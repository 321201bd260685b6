"""A server extension for measuring: says how long the event loop of its server was held.

A thread beside the loop cannot tell that fairly, since it waits for the interpreter's lock as well; so a callback on
the loop itself notes when it comes late.
"""

from __future__ import annotations

import time
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.ioloop import IOLoop

INTERVAL = 0.001
"""Seconds between two looks."""


class Watch:
    """Notes the longest time between two turns of the loop."""

    def __init__(self) -> None:
        """Begin."""
        self.longest = 0.0
        self._due = time.perf_counter()
        self._again()

    def _look(self) -> None:
        self.longest = max(self.longest, time.perf_counter() - self._due)
        self._again()

    def _again(self) -> None:
        self._due = time.perf_counter() + INTERVAL
        IOLoop.current().call_later(INTERVAL, self._look)

    def take(self) -> float:
        """Longest delay in seconds since the last call."""
        longest, self.longest = self.longest, 0.0
        return longest


class WatchHandler(APIHandler):
    """``GET /loop``."""

    @web.authenticated
    def get(self) -> None:
        """Answer with the longest delay, and begin anew."""
        self.finish({"longest": self.settings["loop_watch"].take()})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "benchmarks.loop_watch"}]


def _load_jupyter_server_extension(server: Any) -> None:
    server.web_app.settings["loop_watch"] = Watch()
    server.web_app.add_handlers(".*$", [(server.base_url.rstrip("/") + "/loop", WatchHandler)])
