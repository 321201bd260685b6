"""Keeps jupyter-collaboration's store of edits off the disk.

That store keeps every keystroke: a secret that was typed and deleted again, or redacted on save, could be played back
from it. In a folder that lives in memory it ends with the server.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from traitlets.config import Config


def move_store(config: Config, environ: Mapping[str, str]) -> Path | None:
    """Point the store at a private folder in memory, unless the operator configured a store.

    Returns
    -------
    Path | None
        The folder, to be removed when the server ends; None where nothing was moved: the store is configured, or the
        system has no folder in memory.
    """
    if "ystore_class" in config.YDocExtension or "db_path" in config.SQLiteYStore:
        return None
    for place in (environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a fresh private folder is made in it
        if place and _is_in_memory(Path(place)):
            folder = Path(tempfile.mkdtemp(prefix="jupyter-qguard-", dir=place))
            config.SQLiteYStore.db_path = str(folder / "ystore.db")
            return folder
    return None


def remove_store(folder: Path) -> None:
    """Remove the folder that :func:`move_store` made."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_in_memory(place: Path) -> bool:
    """Whether *place* is a folder we may write to on a file system without a disk."""
    try:
        if not stat.S_ISDIR(place.stat().st_mode) or not os.access(place, os.W_OK | os.X_OK):
            return False
        mounts = Path("/proc/self/mounts").read_text("utf-8")
    except OSError:
        return False
    kinds = {line.split()[1]: line.split()[2] for line in mounts.splitlines()}
    at = place.resolve()
    while str(at) not in kinds and at != at.parent:
        at = at.parent
    return kinds.get(str(at)) in ("tmpfs", "ramfs")
