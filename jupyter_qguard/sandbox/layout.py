"""Finds the folders of one kernel on this machine: which it works in, which it runs from, which are the guard's."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_config_path, jupyter_data_dir, jupyter_path, jupyter_runtime_dir

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.policy.model import FileAccess, Mode
from jupyter_qguard.sandbox.credentials import credential_paths, sign_in_paths
from jupyter_qguard.sandbox.errors import FilesError
from jupyter_qguard.sandbox.home import credentials_of, moved, names_in, seen
from jupyter_qguard.sandbox.home import entries as entries_at
from jupyter_qguard.sandbox.listening import listening_sockets
from jupyter_qguard.sandbox.mounts import OWN_AT_HOME, Kind, Layout
from jupyter_qguard.sandbox.places import places_of
from jupyter_qguard.sandbox.workspace import code_folders, repositories

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from jupyter_qguard.policy.model import FileRule, Policy

PACKAGE = Path(__file__).resolve().parent.parent


def kind_of(path: Path) -> Kind:
    """What lies at *path*; what cannot be looked at is a file, so that it is hidden and not overlooked."""
    try:
        return Kind.FOLDER if stat.S_ISDIR(os.stat(path).st_mode) else Kind.FILE  # noqa: PTH116 - and often
    except (FileNotFoundError, NotADirectoryError):
        return Kind.MISSING
    except OSError as error:
        return Kind.MISSING if error.errno == errno.ELOOP else Kind.FILE


def make_layout(
    *,
    workspace: Path,
    connection_dir: Path,
    resolv_conf: Path,
    program: str,
    shown: Iterable[Path],
    policy: Policy,
    today: dt.date | None = None,
) -> Layout:
    """The folders of a kernel of which *program* is the first word of its command.

    *shown* is what else it reads: the folders of its kernelspec and of the guard's part in it, its certificates. Of the
    *policy*'s entries those count that hold on *today*.
    """
    home = Path.home()
    elsewhere = moved(os.environ, home)
    for folder in (folder for name in (".cache", *OWN_AT_HOME) for folder in places_of(name, home, elsewhere)):
        # What is not there cannot be covered. IPython would ignore its settings, matplotlib complain below the first plot.
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    read_only = [Path(folder) for folder in (*jupyter_config_path(), *jupyter_path(), jupyter_data_dir())]
    entries = entries_of(policy.files, home, today)
    credentials = credential_paths(load_catalog(), home=home, workspace=workspace, environ=os.environ)
    overlay, cache = make_overlay(os.environ, home)
    at_home = home.resolve().is_relative_to(workspace.resolve())
    written = (workspace, *entries[FileAccess.READ_WRITE])
    home_seen, home_links = (None, ()) if at_home else seen(home.resolve())
    return Layout(
        home=home,
        workspace=workspace,
        connection_dir=connection_dir,
        interpreters=tuple(dict.fromkeys((*prefixes(program), PACKAGE))),
        resolv_conf=resolv_conf,
        hidden=(
            *guarded_folders(os.environ, home, policy.audit.path),
            *credentials,
            *credentials_of(os.environ, home, workspace),
            *listening_sockets(),
            *sign_in_paths(policy.vaults.files, home=home, workspace=workspace),
            *entries[FileAccess.HIDDEN],
        ),
        read_only=(
            *(
                path
                for path in (*read_only, *shown, *map(Path, filter(None, [policy.egress.ca_bundle])))
                if path.exists()
            ),
            *code_folders(os.environ, sys.path, (workspace.resolve(), *([home] if at_home else []))),
            *entries[FileAccess.READ_ONLY],
        ),
        read_write=tuple(entries[FileAccess.READ_WRITE]),
        overlay=overlay,
        cache=cache,
        home_writable=at_home and policy.egress.mode is Mode.OBSERVE,
        home_entries=tuple(entries_at(home)) if at_home else (),
        home_seen=home_seen,
        home_has=names_in(home),
        home_links=home_links,
        moved=elsewhere,
        repositories=repositories(*written),
    )


def make_overlay(environ: Mapping[str, str], home: Path) -> tuple[Path, Path] | tuple[None, None]:
    """The folders for what kernels install, and for their caches; None where they cannot be made.

    Kernels import from it and no server does: what a kernel leaves there stays among kernels. The two lie beside each
    other in a folder that no kernel sees, and nothing is made *in* them from outside: links there are a kernel's.
    """
    base = Path(environ.get("XDG_DATA_HOME", ""))
    own = (base if base.is_absolute() else home / ".local" / "share") / "jupyter-qguard"
    overlay, cache = own / "kernels", own / "kernels-cache"
    try:
        for folder in (overlay, cache):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None, None
    return overlay, cache


def library_of(program: str) -> str:
    """Where below a prefix the Python that *program* is keeps packages; empty if it is none, or the system's.

    Debian's own Python installs elsewhere, and lets nobody install into it anyway.
    """
    found = shutil.which(program)
    prefix = Path(found).absolute().parent.parent if found else Path("/usr")
    if found is None or prefix == Path("/usr"):
        return ""
    names = [path.name for path in prefix.glob("lib/python3.*") if path.is_dir()]
    # One prefix can hold several (`/usr/local`): the program's own name, or that of what it links to, tells which.
    name = next((name for name in (Path(found).name, Path(found).resolve().name) if name in names), None)
    name = name or (names[0] if len(names) == 1 else "")
    return f"lib/{name}/site-packages" if name else ""


def entries_of(files: Iterable[FileRule], home: Path, today: dt.date | None) -> dict[FileAccess, list[Path]]:
    """The paths of the policy's entries. One whose day is over opens nothing, and goes on closing what it closed."""
    found: dict[FileAccess, list[Path]] = {access: [] for access in FileAccess}
    for entry in files:
        over = today is not None and entry.expires is not None and today > entry.expires
        if entry.access is FileAccess.READ_WRITE and over:
            continue
        path = home / entry.path[2:] if entry.path.startswith("~/") else Path(entry.path)
        if entry.access is not FileAccess.READ_WRITE and kind_of(path) is Kind.MISSING and path.is_symlink():
            raise FilesError(f"files: `{path}` is a link that leads nowhere, and so cannot be protected")
        found[entry.access].append(path)
    return found


def prefixes(program: str) -> Iterator[Path]:
    """The environments that the server and *program* run from."""
    for own in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix):
        yield Path(own)
    yield from site_folders()
    found = shutil.which(program)
    if found is not None:
        for each in (Path(found).absolute(), Path(found).resolve()):
            prefix = each.parent.parent
            # Only what is one: the folder above a script of the workspace must stay writable.
            if each.parent.name == "bin" and any(
                (prefix / name).exists() for name in ("pyvenv.cfg", "conda-meta", "lib")
            ):
                yield prefix


def site_folders() -> Iterator[Path]:
    """Where the server imports packages from."""
    yield from (Path(folder) for folder in sys.path if folder.endswith(("site-packages", "dist-packages")))


def guarded_folders(environ: Mapping[str, str], home: Path, audit: str | None) -> Iterator[Path]:
    """What no kernel may even read: tokens and connection files of others, and the guard's own records."""
    yield Path(jupyter_runtime_dir())
    for variable, default in (("XDG_STATE_HOME", ".local/state"), ("XDG_DATA_HOME", ".local/share")):
        base = Path(environ.get(variable, ""))
        yield (base if base.is_absolute() else home / default) / "jupyter-qguard"
    if audit is not None:
        yield Path(audit)
