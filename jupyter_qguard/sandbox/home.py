"""What of the home folder a kernel sees, and what variables put elsewhere."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.sandbox.places import (
    CROWDED,
    HIDDEN_AT_HOME,
    HIDDEN_OF_THE_MACHINE,
    READ_ONLY_AT_HOME,
    SEEN_AT_HOME,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST = 64
"""Entries that are mounted one by one: bubblewrap's time grows with the square of all mounts."""
_FOLDERS = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
    "IPYTHONDIR": ".ipython",
}
_CREDENTIALS = (
    "NETRC KUBECONFIG GOOGLE_APPLICATION_CREDENTIALS AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE AWS_CREDENTIAL_FILE "
    "AWS_WEB_IDENTITY_TOKEN_FILE AZURE_FEDERATED_TOKEN_FILE AZURE_CLIENT_CERTIFICATE_PATH AZURE_CONFIG_DIR "
    "CLOUDSDK_CONFIG BOTO_CONFIG PGPASSFILE DOCKER_CONFIG GNUPGHOME PASSWORD_STORE_DIR CREDENTIALS_DIRECTORY "
    "GH_CONFIG_DIR NPM_CONFIG_USERCONFIG PIP_CONFIG_FILE SSH_AUTH_SOCK XAUTHORITY"
).split()
"""Variables that lead to credentials. Kernels get none of them, and nothing of what they lead to."""


def moved(environ: Mapping[str, str], home: Path) -> tuple[tuple[str, Path], ...]:
    """Folders that are not where they are in most home folders: what each is called there, and where it is."""
    found = ((name, Path(environ.get(variable, ""))) for variable, name in _FOLDERS.items())
    return tuple((name, path) for name, path in found if path.is_absolute() and path != home / name)


def entries(home: Path) -> Iterator[Path]:
    """What lies in the home folder and is nobody's configuration: nor what is somebody else's, as ``lost+found``."""
    for path in home.iterdir():
        if (
            not path.name.startswith(".")
            and os.access(path, os.X_OK if path.is_dir() else os.R_OK)
            and not _is_environment(path)
        ):
            yield path


def _is_environment(path: Path) -> bool:
    """Whether *path* holds programs and packages, from which a later server or shell may run."""
    return any((path / name).exists() for name in ("pyvenv.cfg", "conda-meta", "bin/python", "bin/activate"))


def seen(home: Path) -> tuple[tuple[Path, ...] | None, tuple[tuple[Path, str], ...]]:
    """What a kernel sees in *home* if it does not work there, and the links there with what they say.

    Folders, and files without a dot: of those with one, what is known to hold no key. None where there is too much, and
    all is seen.
    """
    listed = {name.partition("/")[0] for name in (*READ_ONLY_AT_HOME, *SEEN_AT_HOME)}
    found, links = [], []
    try:
        with os.scandir(home) as all_of_it:
            for entry in all_of_it:
                path = home / entry.name
                if entry.is_symlink():
                    links.append((path, str(path.readlink())))
                elif entry.name in HIDDEN_AT_HOME:
                    continue
                elif entry.is_dir() or (entry.is_file() and (entry.name[0] != "." or entry.name in listed)):
                    found.append(path)
    except OSError:
        return (), ()
    return (None, ()) if len(found) > _MOST else (tuple(found), tuple(links))


def names_in(home: Path) -> frozenset[str]:
    """What is in *home*, and with its folder's name what is in the crowded folders of it."""
    found: set[str] = set()
    for folder in ("", *CROWDED):
        try:
            found.update(f"{folder}/{name}".lstrip("/") for name in os.listdir(home / folder))  # noqa: PTH208 - names
        except OSError:
            continue
    return frozenset(found)


def credentials_of(environ: Mapping[str, str], home: Path, workspace: Path) -> Iterator[Path]:
    """What variables lead to, what is in another home of the same user, and what of the machine is no kernel's business."""
    for name in _CREDENTIALS:
        named = (Path(value) for value in environ.get(name, "").split(os.pathsep))
        yield from (path for path in named if path.is_absolute() and not _holds(path, (home, workspace)))
    with_home = Path(pwd.getpwuid(os.getuid()).pw_dir) if _is_known(os.getuid()) else home
    if with_home != home:
        yield from (with_home / name for name in HIDDEN_AT_HOME)
    for place in HIDDEN_OF_THE_MACHINE:
        # What this user cannot go into anyway would only cost a mount.
        if os.access(place, os.R_OK) or (os.access(place, os.X_OK) and os.path.isdir(place)):  # noqa: PTH112
            yield Path(place)


def _holds(path: Path, others: Iterable[Path]) -> bool:
    return any(other.is_relative_to(path) for other in others)


def _is_known(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True
