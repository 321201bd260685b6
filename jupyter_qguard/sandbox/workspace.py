"""What in the folders that kernels write is run from outside: repositories, and folders that programs are loaded from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_DEEPEST = 12
"""Folders below the workspace in which repositories are looked for."""
_MOST_FOLDERS = 4000
_MOST_IN_ONE = 5000
"""Entries of a folder that are looked at: one full of data holds no repositories."""
_LONGEST = 3000
"""Bytes of a path; Linux takes 4096, and names in it follow."""
_MOST = 40
"""Repositories: each costs some mounts, and bubblewrap's time grows with their square."""
_PASSED_OVER = {".git", "node_modules", "__pycache__", ".venv", "site-packages"}
_CODE = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "NODE_PATH", "PERL5LIB")
"""Variables that name folders which programs, or what they load, come from."""


def repositories(*tops: Path) -> tuple[Path, ...]:
    """Folders below *tops* that hold a ``.git``, a folder or a file.

    Of many the oldest, by when Linux last changed what git writes once: a kernel that makes a thousand, or winds the
    clock of a file back, takes no protection from those that were there before.
    """
    found = dict.fromkeys(each for top in tops for each in _found(top))
    return tuple(sorted(found, key=_age)[:_MOST])


def _found(top: Path) -> Iterator[Path]:
    waiting, looked = [(top, 0)], 0
    while waiting and looked < _MOST_FOLDERS:
        folder, depth = waiting.pop(0)
        looked += 1
        inner, holds_git = _folders(folder)
        if holds_git:
            yield folder
        if depth < _DEEPEST and len(os.fsencode(folder)) < _LONGEST:
            waiting += [(folder / name, depth + 1) for name in inner if name not in _PASSED_OVER]


def _folders(folder: Path) -> tuple[list[str], bool]:
    """The folders in *folder*, and whether there is a ``.git``."""
    names, holds_git = [], False
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MOST_IN_ONE), entries, strict=False):
                holds_git = holds_git or entry.name == ".git"
                if entry.is_dir(follow_symlinks=False):
                    names.append(entry.name)
        holds_git = holds_git or os.path.lexists(folder / ".git")
    except OSError:
        pass
    return names, holds_git


def _age(repository: Path) -> float:
    own = repository / ".git"
    times = [float("inf")]
    for path in (own / "description", own / "config", own) if own.is_dir() else (own,):
        try:
            times.append(path.lstat().st_ctime)
        except OSError:
            continue
    return min(times)


def code_folders(environ: Mapping[str, str], imported: Iterable[str], writable: Iterable[Path]) -> Iterator[Path]:
    """Folders inside of *writable* ones that the server, or what is started from it, takes programs and modules from.

    *imported* are the server's own folders of modules, of which the first is that of the script that it runs.
    """
    tops = tuple(writable)
    named = (name for variable in _CODE for name in environ.get(variable, "").split(os.pathsep))
    for path in map(Path, (*named, *list(imported)[1:])):
        inside = path.is_absolute() and any(path != top and path.is_relative_to(top) for top in tops)
        if inside and os.path.isdir(path):  # noqa: PTH112 - false, and no error, where this user may not look
            yield path
