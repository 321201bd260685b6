"""Content that lies on the disk already and is about to be written once more: checkpoints, restores, renames.

Something else may have put a secret there: a kernel, a terminal, a save from before the guard.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.services.contents.checkpoints import GenericCheckpointsMixin
from jupyter_server.services.contents.filecheckpoints import FileCheckpoints
from tornado import web

from jupyter_qguard.server import refusal
from jupyter_qguard.server.refusal import WritePath

if TYPE_CHECKING:
    from jupyter_qguard.server.gate import Gate
    from jupyter_qguard.server.guard import Clearance

_CHECKPOINT_ID = "checkpoint"
"""The only id that file checkpoints have."""


def file_of(manager: Any, path: str) -> str | None:
    """The file behind an API path, None for managers that do not keep files."""
    find = getattr(manager, "_get_os_path", None)
    if find is None:
        return None
    try:
        return str(find(path.strip("/")))
    except web.HTTPError:  # outside of the root: the manager itself says so when it is asked
        return None


def folder_of(manager: Any, path: str) -> Path | None:
    """The folder behind an API path, None if it is no folder or the manager does not keep files."""
    file = file_of(manager, path)
    return Path(file) if file is not None and Path(file).is_dir() else None


def clear_checkpoint(manager: Any, gate: Gate, path: str) -> Clearance | None:
    """Decide about copying a file into a checkpoint. None where there is nothing to decide, or no file.

    Raises
    ------
    RefusedError
        It must not be copied.
    """
    gate.guard.admit_name(path, WritePath.CHECKPOINT)
    file = file_of(manager, path)
    if file is None or gate.is_as_written(path, file) or not Path(file).is_file():
        return None
    clearance = gate.admit_stored(Path(file).read_bytes(), path, WritePath.CHECKPOINT)
    if clearance.redacted and not isinstance(manager.checkpoints, FileCheckpoints):
        raise refusal.must_be_saved_first(path, WritePath.CHECKPOINT)
    return clearance


def write_checkpoint(manager: Any, path: str, clearance: Clearance) -> Any:
    """Write a redacted checkpoint, in place of the copy that the checkpoints object would make."""
    checkpoints = manager.checkpoints
    target = checkpoints.checkpoint_path(_CHECKPOINT_ID, path)
    written = checkpoints._save_file(target, clearance.submission.content(), "base64")  # noqa: SLF001 - made for subclasses
    if written is None:
        return checkpoints.checkpoint_model(_CHECKPOINT_ID, target)

    async def finish() -> Any:
        await written
        return await checkpoints.checkpoint_model(_CHECKPOINT_ID, target)

    return finish()


def clear_restore(manager: Any, gate: Gate, checkpoint_id: str, path: str) -> Clearance | None:
    """Decide about bringing a checkpoint back. None where the restore itself is a save, which is guarded.

    Raises
    ------
    RefusedError
        It must not be restored.
    """
    gate.guard.admit_name(path, WritePath.RESTORE)
    checkpoints = manager.checkpoints
    if isinstance(checkpoints, GenericCheckpointsMixin):
        return None
    if not isinstance(checkpoints, FileCheckpoints):
        reason = f"what a {type(checkpoints).__name__} would restore cannot be checked."
        raise refusal.not_redactable(path, WritePath.RESTORE, reason)
    file = Path(checkpoints.checkpoint_path(checkpoint_id, path))  # type: ignore[no-untyped-call]
    return gate.admit_stored(file.read_bytes(), path, WritePath.RESTORE) if file.is_file() else None


def clear_rename(manager: Any, gate: Gate, old_path: str, new_path: str) -> None:
    """Decide about a new name. A rename writes nothing; but what becomes a notebook is judged as one from then on,
    so it must pass as one.

    Raises
    ------
    RefusedError
        It must not be renamed.
    """
    gate.guard.admit_name(new_path, WritePath.RENAME)
    if not new_path.lower().endswith(".ipynb") or old_path.lower().endswith(".ipynb"):
        return
    file = file_of(manager, old_path)
    if file is None or not Path(file).is_file():
        return
    clearance = gate.admit_stored(Path(file).read_bytes(), new_path, WritePath.RENAME)
    if clearance.redacted:
        raise refusal.must_be_saved_first(new_path, WritePath.RENAME)
