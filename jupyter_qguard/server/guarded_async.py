"""The methods that an asynchronous contents manager gets, in front of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from jupyter_qguard.server import stored
from jupyter_qguard.server.guarded import GuardedContents
from jupyter_qguard.server.passage import Passage
from jupyter_qguard.server.refusal import WritePath
from jupyter_qguard.server.uploads import pending_model

if TYPE_CHECKING:
    from jupyter_qguard.server.gate import Taken

_KNOWN = (AsyncLargeFileManager, AsyncFileContentsManager)
_LATE_FROM = 2 << 20
"""Bytes of a notebook from which on waiting for the scan takes longer than taking turns with it."""
_LONGEST_WAIT = 0.02
"""Seconds that a save waits until a large document is sent to be scanned."""


class AsyncGuardedContents(GuardedContents):
    """Over a contents manager with asynchronous methods."""

    async def save(self, model: Any, path: str = "") -> Any:
        """Save what the guard lets through."""
        gate = self._qguard
        async with gate.turn(path):
            if isinstance(model, Mapping) and model.get("chunk") is not None:
                return await self._qguard_chunk(model, path)
            with gate.refusing(path, WritePath.SAVE):
                may_be_late = _is_notebook(model) and gate.is_idle and self._qguard_writes_late()
                if may_be_late:
                    await asyncio.sleep(0)  # the loop was held while the request was read
                    taken = gate.take(model, path)  # some milliseconds; to have a thread do it takes longer
                else:
                    taken = await gate.run(gate.take, model, path)
                late = may_be_late and taken.size >= _LATE_FROM
                decided = None if late else await gate.run(gate.decide, taken)
            return await (self._qguard_write_late(taken) if decided is None else self._qguard_write(*decided))

    async def create_checkpoint(self, path: str) -> Any:
        """Copy a file into a checkpoint, without an old secret that something else wrote into it."""
        with self._qguard.refusing(path, WritePath.CHECKPOINT):
            if stored.file_of(self, path) is None:
                model = await ensure_async(self.get(path, content=True))
                await self._qguard.run(self._qguard.admit_fetched, model, path)
            clearance = await self._qguard.run(stored.clear_checkpoint, self, self._qguard, path)
            if clearance is not None and clearance.redacted:
                return await ensure_async(stored.write_checkpoint(self, path, clearance))
        return await super().create_checkpoint(path)  # type: ignore[misc]

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> Any:
        """Bring a checkpoint back, without an old secret."""
        gate = self._qguard
        with gate.refusing(path, WritePath.RESTORE):
            clearance = await gate.run(stored.clear_restore, self, gate, checkpoint_id, path)
        if clearance is not None and clearance.redacted:
            model = {"type": "file", "format": "base64", "content": clearance.submission.content()}
            return await self._qguard_write(model, Passage(path.strip("/"), model["content"], clearance))
        return await super().restore_checkpoint(checkpoint_id, path)  # type: ignore[misc]

    async def copy(self, from_path: str, to_path: str | None = None) -> Any:
        """Copy a file, which is a save, or a folder, which is not."""
        folder = stored.folder_of(self, from_path)
        if folder is not None:
            if hasattr(self, "check_folder_size"):
                await self.check_folder_size(from_path.strip("/"))
            with self._qguard.refusing(from_path, WritePath.COPY):
                await self._qguard.run(self._qguard.admit_folder, folder, from_path)
        return await super().copy(from_path, to_path)  # type: ignore[misc]

    async def rename_file(self, old_path: str, new_path: str) -> Any:
        """Rename a file; one that becomes a notebook must be fit to be one."""
        with self._qguard.refusing(old_path, WritePath.RENAME):
            await self._qguard.run(stored.clear_rename, self, self._qguard, old_path, new_path)
        return await super().rename_file(old_path, new_path)  # type: ignore[misc]

    async def _qguard_write(self, model: dict[str, Any], passage: Passage) -> Any:
        with self._qguard.writing(passage):
            saved = await super().save(model, passage.path)  # type: ignore[misc]
        return self._qguard_done(passage, saved)

    def _qguard_writes_late(self) -> bool:
        """Whether this manager is known to do nothing outside of itself before it opens the file."""
        return type(self).__bases__[1] in _KNOWN and not any(self._qguard_hooks())

    async def _qguard_write_late(self, taken: Taken) -> Any:
        """Write while it is being decided whether that may be: see :mod:`jupyter_qguard.server.late`."""
        gate = self._qguard
        pending = gate.begin_to_decide(taken)
        content, prepared = taken.model["content"], taken.prepared
        if prepared is not None and prepared.fresh >= _LATE_FROM:
            # 3 ms where a core is free; beside a busy loop the scan would begin 30 to 100 ms later.
            await asyncio.wait([asyncio.wrap_future(prepared.sent)], timeout=_LONGEST_WAIT)
        going = Passage(taken.path, content, None, pending=pending, prepared=prepared)
        saved = failure = None
        try:
            with gate.writing(going):
                saved = await super().save(taken.model, taken.path)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - a refusal goes before it
            failure = error
        with gate.refusing(taken.path, WritePath.SAVE):
            cleared, passage = await asyncio.wrap_future(pending.decision)
        if not pending.is_cleared:
            return await self._qguard_write(cleared, passage)
        pending.release()
        if failure is not None:
            raise failure
        passage.left = going.left
        return self._qguard_done(passage, saved)

    async def _qguard_chunk(self, model: Mapping[str, Any], path: str) -> Any:
        gate = self._qguard
        with gate.refusing(path, WritePath.UPLOAD):
            upload = await gate.run(gate.accept_chunk, model, path)
            if upload is None:
                return pending_model(path)
        try:
            with gate.refusing(path, WritePath.UPLOAD):
                models, clearance = await gate.run(gate.admit_upload, upload, in_chunks=self._qguard_takes_chunks())
            saved, passage = None, Passage(upload.path, None, clearance)
            while (piece := await gate.run(next, models, None)) is not None:
                passage = Passage(upload.path, piece["content"], clearance, whole="chunk" not in piece)
                with gate.writing(passage):
                    saved = await super().save(piece, upload.path)  # type: ignore[misc]
        finally:
            upload.close()
        return self._qguard_done(passage, saved)


def _is_notebook(model: Any) -> bool:
    return isinstance(model, Mapping) and model.get("type") == "notebook"
