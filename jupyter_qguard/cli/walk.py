"""Which files a scan reads: paths as given, folders with respect for ``.gitignore``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SKIPPED_FOLDERS = frozenset((".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__", ".tox", ".mypy_cache"))
"""Never walked. ``.ipynb_checkpoints`` is: its copies leak like their originals."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The patterns of one ``.gitignore``, to be asked about paths below a folder."""

    folder: Path
    spec: GitIgnoreSpec
    prefix: str = ""
    """From the place of the patterns to *folder*, where it lies deeper."""

    def covers(self, path: Path, *, folder: bool) -> bool | None:
        """Whether the patterns ignore *path*; None if they say nothing of it."""
        name = path.relative_to(self.folder).as_posix() + ("/" if folder else "")
        return self.spec.check_file(self.prefix + name).include


def files_below(paths: Iterable[Path], exclude: Sequence[str], *, gitignore: bool) -> Iterator[Path]:
    """Every file to scan, once. What a caller names is scanned even if a pattern ignores it."""
    excluded = _spec(exclude) if exclude else None
    seen: set[Path] = set()
    for path in paths:
        walked = os.path.isdir(path)  # noqa: PTH112 - unlike Path.is_dir() it never raises
        found = _walk(path, _above(path) if gitignore else [], gitignore=gitignore) if walked else iter((path,))
        for file in found:
            if file not in seen and not (excluded and excluded.match_file(file.as_posix())):
                seen.add(file)
                yield file


def _walk(folder: Path, ignored: list[Ignored], *, gitignore: bool) -> Iterator[Path]:
    if gitignore and (own := _read(folder)):
        ignored = [*ignored, Ignored(folder, own)]
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # reading it as a file will say what is wrong with it
        return
    for entry in entries:
        path = Path(entry.path)
        is_folder = entry.is_dir(follow_symlinks=False)
        if _is_ignored(path, ignored, folder=is_folder):
            continue
        if is_folder:
            if entry.name not in SKIPPED_FOLDERS:
                yield from _walk(path, ignored, gitignore=gitignore)
        elif os.path.isfile(path):  # noqa: PTH113 - as above: not for a link to nowhere, to itself or to a folder
            yield path


def _is_ignored(path: Path, ignored: list[Ignored], *, folder: bool) -> bool:
    """The last file that says anything of the path decides, as in git."""
    for patterns in reversed(ignored):
        verdict = patterns.covers(path, folder=folder)
        if verdict is not None:
            return verdict
    return False


def _read(folder: Path) -> GitIgnoreSpec | None:
    try:
        text = (folder / ".gitignore").read_text("utf-8", "replace")
    except OSError:
        return None
    return _spec(text.split("\n"))


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - many folders have nothing for it

    return GitIgnoreSpec.from_lines(lines)


def _above(folder: Path) -> list[Ignored]:
    """Patterns of the folders above, up to the root of the repository; none if they ignore *folder* itself."""
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links out of the repository
    within = [here, *here.parents]
    root = next((number for number, parent in enumerate(within) if (parent / ".git").exists()), 0)
    found: list[Ignored] = []
    for parent in reversed(within[1 : root + 1]):
        if own := _read(parent):
            prefix = f"{here.relative_to(parent).as_posix()}/"
            found.append(Ignored(folder, own, prefix))
    itself = [patterns.spec.check_file(patterns.prefix).include for patterns in reversed(found)]
    return [] if next((verdict for verdict in itself if verdict is not None), False) else found
