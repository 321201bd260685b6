"""Server extensions that put another contents manager in place when the server is set up already."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager


class Late(AsyncLargeFileManager):
    """One that the guard never saw at its own start."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "late_extension"}]


def _load_jupyter_server_extension(app: Any) -> None:
    if os.environ.get("LATE") == "no manager":
        app.web_app.settings["contents_manager"] = object()
    else:
        app.contents_manager = app.web_app.settings["contents_manager"] = Late(parent=app, log=app.log)
