"""A server extension that does what only code inside of the server can do to a save, each on request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web

_TASKS: set[asyncio.Task[Any]] = set()


class Insider(APIHandler):
    """``POST /insider/WHAT`` with ``{"path", "text", "document"}``."""

    @web.authenticated
    async def post(self, what: str) -> None:
        """Do it, and answer when it is done."""
        manager: Any = self.contents_manager
        body: Any = self.get_json_body()
        await getattr(self, what)(manager, body["path"], body["text"], body.get("document"))
        self.finish({})

    async def changes(self, manager: Any, path: str, text: str, document: Any) -> None:
        """Change a document after it was encoded for the scan."""
        pool = manager._qguard.guard.pool
        scan = pool.scan

        def changed_meanwhile(*args: Any) -> Any:
            document["cells"][0]["source"] = text
            return scan(*args)

        pool.scan = changed_meanwhile
        try:
            await ensure_async(manager.save({"type": "notebook", "format": "json", "content": document}, path))
        finally:
            pool.scan = scan

    async def chunks(self, manager: Any, path: str, text: str, _: Any) -> None:
        """Upload in chunks that are no ``dict``."""
        middle = text.index("=") - 2
        for number, piece in ((1, text[:middle]), (-1, text[middle:])):
            model = {"type": "file", "format": "text", "content": piece, "chunk": number}
            await ensure_async(manager.save(MappingProxyType(model), path))

    async def lingers(self, manager: Any, path: str, text: str, document: Any) -> None:
        """Make a checkpoint in a task that a post-save hook started, when the save is long over."""
        over = asyncio.Event()

        async def later(file: str) -> None:
            await over.wait()
            _overwrite(file, text)
            await ensure_async(manager.create_checkpoint(path))

        def hook(os_path: str, **_: Any) -> None:
            if os_path.endswith(path) and not _TASKS:
                _TASKS.add(asyncio.get_running_loop().create_task(later(os_path)))

        manager.register_post_save_hook(hook)
        await ensure_async(manager.save({"type": "notebook", "format": "json", "content": document}, path))
        over.set()
        await _TASKS.pop()

    async def overtakes(self, manager: Any, path: str, text: str, _: Any) -> None:
        """Write into the file before its save has ended, as a kernel could."""

        def hook(os_path: str, **_: Any) -> None:
            if os_path.endswith(path):
                _overwrite(os_path, text)

        manager.register_post_save_hook(hook)
        await ensure_async(manager.save({"type": "file", "format": "text", "content": "clean\n"}, path))


def _overwrite(file: str, text: str) -> None:
    Path(file).write_text(text)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "insider"}]


def _load_jupyter_server_extension(app: Any) -> None:
    app.web_app.add_handlers(".*", [(r"/insider/(\w+)", Insider)])
