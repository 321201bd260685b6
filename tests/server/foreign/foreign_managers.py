"""Contents managers of others. The folder is on ``PYTHONPATH`` of the servers that are configured with one of them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import nbformat
from jupyter_server.services.contents.filecheckpoints import AsyncGenericFileCheckpoints, GenericFileCheckpoints
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager, LargeFileManager
from jupyter_server.services.contents.manager import AsyncContentsManager, ContentsManager
from tornado import web
from traitlets import Dict, Unicode


class Mirroring(AsyncLargeFileManager):
    """A user's own: keeps a second copy of whatever it is given, on its own account, before it saves."""

    async def save(self, model: Any, path: str = "") -> Any:
        self._mirror(model, Path(path).name)
        return await super().save(model, path)

    def _mirror(self, model: Any, name: str) -> None:
        Path(self.root_dir, f"{name}.mirror").write_text(repr(model))


class Slotted(LargeFileManager):
    """Instances of classes with slots can change their class only to one of the same layout."""

    __slots__ = ("first", "second")


class Unhooked(LargeFileManager):
    """Calls no save hook at all, and gives itself another name for files."""

    def run_pre_save_hooks(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class Final(AsyncLargeFileManager):
    """Lets nobody make a subclass of it."""

    def __init_subclass__(cls, **_: Any) -> None:
        raise TypeError("final")


class _Memory:
    """What managers without files have in common."""

    def __init__(self, **keys: Any) -> None:
        super().__init__(**keys)
        self.kept: dict[str, dict[str, Any]] = {}

    def _exists(self, path: str) -> bool:
        return path.strip("/") in self.kept

    def _model(self, path: str, *, content: bool, kind: str | None) -> dict[str, Any]:
        path = path.strip("/")
        now = dt.datetime.now(dt.timezone.utc)
        base = {"name": path.rsplit("/", 1)[-1], "path": path, "writable": True, "created": now, "last_modified": now}
        base |= {"mimetype": None, "size": None, "format": None, "content": None, "type": "directory"}
        if not path:
            return {**base, "content": [], "format": "json"}
        if path not in self.kept:
            raise web.HTTPError(404)
        kept = self.kept[path]
        if kind == "file" and kept["type"] == "notebook":
            kept = {"type": "file", "format": "text", "content": json.dumps(kept["content"])}
        elif kept["type"] == "notebook":
            kept = {**kept, "content": nbformat.from_dict(kept["content"])}
        shown = kept if content else {**kept, "content": None, "format": None}
        return {**base, **shown}

    def _keep(self, model: dict[str, Any], path: str) -> dict[str, Any]:
        path = path.strip("/")
        self.kept[path] = {name: model.get(name) for name in ("type", "format", "content")}
        return self._model(path, content=False, kind=None)


class Memory(_Memory, ContentsManager):
    """No files, no hooks, blocking."""

    root_dir = Unicode("/")
    files_handler_params = Dict({"path": "/"})
    checkpoints_class = GenericFileCheckpoints

    def dir_exists(self, path: str) -> bool:
        return not path.strip("/")

    def file_exists(self, path: str = "") -> bool:
        return self._exists(path)

    def is_hidden(self, path: str) -> bool:  # noqa: ARG002
        return False

    def get(self, path: str, content: bool = True, type: str | None = None, **_: Any) -> Any:  # noqa: A002, FBT001, FBT002
        return self._model(path, content=content, kind=type)

    def save(self, model: Any, path: str = "") -> Any:
        return self._keep(model, path)

    def delete_file(self, path: str) -> None:
        del self.kept[path.strip("/")]

    def rename_file(self, old_path: str, new_path: str) -> None:
        self.kept[new_path.strip("/")] = self.kept.pop(old_path.strip("/"))


class AsyncMemory(_Memory, AsyncContentsManager):
    """No files, no hooks, asynchronous."""

    root_dir = Unicode("/")
    files_handler_params = Dict({"path": "/"})
    checkpoints_class = AsyncGenericFileCheckpoints

    async def dir_exists(self, path: str) -> bool:
        return not path.strip("/")

    async def file_exists(self, path: str = "") -> bool:
        return self._exists(path)

    async def is_hidden(self, path: str) -> bool:  # noqa: ARG002
        return False

    async def get(self, path: str, content: bool = True, type: str | None = None, **_: Any) -> Any:  # noqa: A002, FBT001, FBT002
        return self._model(path, content=content, kind=type)

    async def save(self, model: Any, path: str = "") -> Any:
        return self._keep(model, path)

    async def delete_file(self, path: str) -> None:
        del self.kept[path.strip("/")]

    async def rename_file(self, old_path: str, new_path: str) -> None:
        self.kept[new_path.strip("/")] = self.kept.pop(old_path.strip("/"))
