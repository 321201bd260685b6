"""The methods that a blocking contents manager gets, in front of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_qguard.server import stored
from jupyter_qguard.server.guarded import GuardedContents
from jupyter_qguard.server.passage import Passage
from jupyter_qguard.server.refusal import WritePath
from jupyter_qguard.server.uploads import pending_model


class SyncGuardedContents(GuardedContents):
    """Over a contents manager with blocking methods: it holds the event loop by its nature, so the guard may too."""

    def save(self, model: Any, path: str = "") -> Any:
        """Save what the guard lets through."""
        gate = self._qguard
        if isinstance(model, Mapping) and model.get("chunk") is not None:
            return self._qguard_chunk(model, path)
        with gate.refusing(path, WritePath.SAVE):
            cleared, passage = gate.admit(model, path)
        return self._qguard_write(cleared, passage)

    def create_checkpoint(self, path: str) -> Any:
        """Copy a file into a checkpoint, without an old secret that something else wrote into it."""
        with self._qguard.refusing(path, WritePath.CHECKPOINT):
            if stored.file_of(self, path) is None:
                self._qguard.admit_fetched(self.get(path, content=True), path)
            clearance = stored.clear_checkpoint(self, self._qguard, path)
            if clearance is not None and clearance.redacted:
                return stored.write_checkpoint(self, path, clearance)
        return super().create_checkpoint(path)  # type: ignore[misc]

    def restore_checkpoint(self, checkpoint_id: str, path: str) -> Any:
        """Bring a checkpoint back, without an old secret."""
        with self._qguard.refusing(path, WritePath.RESTORE):
            clearance = stored.clear_restore(self, self._qguard, checkpoint_id, path)
        if clearance is not None and clearance.redacted:
            model = {"type": "file", "format": "base64", "content": clearance.submission.content()}
            return self._qguard_write(model, Passage(path.strip("/"), model["content"], clearance))
        return super().restore_checkpoint(checkpoint_id, path)  # type: ignore[misc]

    def copy(self, from_path: str, to_path: str | None = None) -> Any:
        """Copy a file, which is a save, or a folder, which is not."""
        folder = stored.folder_of(self, from_path)
        if folder is not None:
            if hasattr(self, "check_folder_size"):
                self.check_folder_size(from_path.strip("/"))
            with self._qguard.refusing(from_path, WritePath.COPY):
                self._qguard.admit_folder(folder, from_path)
        return super().copy(from_path, to_path)  # type: ignore[misc]

    def rename_file(self, old_path: str, new_path: str) -> Any:
        """Rename a file; one that becomes a notebook must be fit to be one."""
        with self._qguard.refusing(old_path, WritePath.RENAME):
            stored.clear_rename(self, self._qguard, old_path, new_path)
        return super().rename_file(old_path, new_path)  # type: ignore[misc]

    def _qguard_write(self, model: dict[str, Any], passage: Passage) -> Any:
        with self._qguard.writing(passage):
            saved = super().save(model, passage.path)  # type: ignore[misc]
        return self._qguard_done(passage, saved)

    def _qguard_chunk(self, model: Mapping[str, Any], path: str) -> Any:
        gate = self._qguard
        with gate.refusing(path, WritePath.UPLOAD):
            upload = gate.accept_chunk(model, path)
            if upload is None:
                return pending_model(path)
        try:
            with gate.refusing(path, WritePath.UPLOAD):
                models, clearance = gate.admit_upload(upload, in_chunks=self._qguard_takes_chunks())
            saved, passage = None, Passage(upload.path, None, clearance)
            for piece in models:
                passage = Passage(upload.path, piece["content"], clearance, whole="chunk" not in piece)
                with gate.writing(passage):
                    saved = super().save(piece, upload.path)  # type: ignore[misc]
        finally:
            upload.close()
        return self._qguard_done(passage, saved)
