"""Where the vendors' tools keep credentials on this machine, by the catalogue. Pure."""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.sandbox.mounts import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jupyter_qguard.catalog.loader import Catalog

_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)(/.*)?")
_SHARED = frozenset({".", ".config", ".local", ".local/share", ".cache"})
"""Folders of the home folder that belong to no single program."""


def credential_paths(catalog: Catalog, *, home: Path, workspace: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Files and folders to hide from kernels.

    A vendor's own folder is hidden whole: its tools replace files, and a mount on a replaced file is gone. What the
    catalogue names relative to the notebook is looked for at the top of *workspace*.
    """
    for vendor in catalog.vendors.values():
        for file in vendor.files:
            path = file.path.rpartition("/")[0] if "*" in file.path else file.path
            if path.startswith("~/"):
                yield _own_folder(path.removeprefix("~/"), home)
            elif path.startswith("./"):
                yield workspace / path.removeprefix("./")
            elif named := _VARIABLE.fullmatch(path):
                value = os.path.expanduser(environ.get(named[1], ""))  # noqa: PTH111 - a variable, and often without
                if Path(value).is_absolute():
                    yield Path(value + (named[2] or ""))


def sign_in_paths(files: Iterable[str], *, home: Path, workspace: Path) -> Iterator[Path]:
    """What to hide of *files* that sign in at vaults: their folder, since they are replaced when they are renewed.

    The file alone where that folder is the system's, or holds the home folder or the workspace.
    """
    for file in map(Path, files):
        shared = any(path.is_relative_to(file.parent) for path in (home, workspace, *SYSTEM))
        yield file if shared else file.parent


def _own_folder(path: str, home: Path) -> Path:
    folder = os.path.dirname(path) or "."  # noqa: PTH120 - text relative to a folder, not a file
    return home / (path if folder in _SHARED else folder)
