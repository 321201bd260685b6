"""Which files a scan reads: paths as given, folders with respect for ``.gitignore``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

SKIPPED_FOLDERS = frozenset((".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__", ".tox", ".mypy_cache"))
"""Never walked. ``.ipynb_checkpoints`` is: its copies leak like their originals."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Patterns and the folder that they are relative to."""

    folder: Path
    spec: GitIgnoreSpec

    def covers(self, path: Path, *, folder: bool) -> bool | None:
        """Whether the patterns ignore *path*; None if they say nothing of it."""
        name = path.relative_to(self.folder).as_posix() + ("/" if folder else "")
        return self.spec.check_file(name).include


def files_below(paths: Iterable[Path], exclude: Iterable[str], *, gitignore: bool) -> Iterator[Path]:
    """Every file to scan, once. What a caller names is scanned even if a pattern ignores it."""
    excluded = GitIgnoreSpec.from_lines(exclude)
    seen: set[Path] = set()
    for path in paths:
        found = (
            _walk(path, _parents(path) if gitignore else [], gitignore=gitignore) if path.is_dir() else iter((path,))
        )
        for file in found:
            if file not in seen and not excluded.match_file(file.as_posix()):
                seen.add(file)
                yield file


def _walk(folder: Path, ignored: list[Ignored], *, gitignore: bool) -> Iterator[Path]:
    if gitignore and (own := _read(folder)):
        ignored = [*ignored, own]
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # reading it as a file will say what is wrong with it
        return
    for entry in entries:
        path = Path(entry.path)
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.is_symlink() and path.is_dir():
            continue
        if _is_ignored(path, ignored, folder=is_folder):
            continue
        if is_folder:
            if entry.name not in SKIPPED_FOLDERS:
                yield from _walk(path, ignored, gitignore=gitignore)
        elif entry.is_file():
            yield path


def _is_ignored(path: Path, ignored: list[Ignored], *, folder: bool) -> bool:
    """The last file that says anything of the path decides, as in git."""
    for patterns in reversed(ignored):
        verdict = patterns.covers(path, folder=folder)
        if verdict is not None:
            return verdict
    return False


def _read(folder: Path) -> Ignored | None:
    try:
        lines = (folder / ".gitignore").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return Ignored(folder, GitIgnoreSpec.from_lines(lines))


def _parents(folder: Path) -> list[Ignored]:
    """Patterns of the folders above, up to the root of the repository."""
    found: list[Ignored] = []
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links out of the repository
    if not any((parent / ".git").exists() for parent in (here, *here.parents)):
        return found
    base = folder
    for parent in here.parents:
        if (base / ".git").exists():
            break
        base = base / ".."
        if own := _read(parent):
            found.insert(0, Ignored(parent, own.spec))
        if (parent / ".git").exists():
            break
    return [Ignored(patterns.folder, patterns.spec) for patterns in found if _is_relative(folder, patterns.folder)]


def _is_relative(folder: Path, above: Path) -> bool:
    return folder.is_relative_to(above)
