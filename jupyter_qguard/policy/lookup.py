"""Finds the policy that is in force on this machine. The only module of the package that touches files.

The floor is the administrator's file. It is trusted only if nobody but its owner (root) can change it or put another
in its place: the file and every folder on the way to it, through symbolic links too, are looked at, and each file is
opened once and judged by what was opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.errors import GuardFailureError, PolicyError
from jupyter_qguard.policy.loaded import LoadedPolicy, Origin, PolicySource
from jupyter_qguard.policy.model import STARTER, STRICTEST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

FLOOR = Path("/etc/jupyter-qguard/policy.yaml")
_ROOT = 0
_MAX_LINKS = 40
_MAX_BYTES = 1 << 20
"""What a policy may have; one more is read, for the parser to refuse."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def load_policy(
    *, floor_path: Path = FLOOR, environ: Mapping[str, str], home: Path, owner: int = _ROOT
) -> LoadedPolicy:
    """The policy in force for a process with *environ* of a user with *home*.

    *owner* is the user id that the floor must belong to.

    Raises
    ------
    PolicyError
        A file that applies is invalid or cannot be read: then nothing may be done in its name.
    """
    distrust = _distrust(floor_path, owner)
    floor = None if distrust else _read(floor_path, trusted={_ROOT, owner})
    if distrust or (floor and floor.distrust):
        why = distrust or f"{floor_path} {floor.distrust if floor else ''}"
        return _strictest(f"The administrator's policy is not trusted: {why}. The strictest built-in policy applies.")
    user_path = _user_path(environ, home)
    if floor:
        policy = _parse().parse_policy(floor.text, str(floor_path))
        source = PolicySource(Origin.FLOOR, str(floor_path), floor.digest)
        mine = _read_user(user_path, environ)
        if not mine:
            return LoadedPolicy(policy, (source,))
        policy = _parse().parse_tightening(mine.text, str(user_path), policy)
        return LoadedPolicy(policy, (source, PolicySource(Origin.USER, str(user_path), mine.digest)))
    mine = _read_user(user_path, environ)
    if mine:
        policy = _parse().parse_policy(mine.text, str(user_path))
        return LoadedPolicy(policy, (PolicySource(Origin.USER, str(user_path), mine.digest),))
    notice = "No policy file was found: the built-in starter applies. Saves are enforced; egress is only observed."
    return LoadedPolicy(STARTER, (PolicySource(Origin.BUILT_IN, "starter", ""),), (notice,))


def load_policy_or_strictest(
    *, floor_path: Path = FLOOR, environ: Mapping[str, str], home: Path, owner: int = _ROOT
) -> LoadedPolicy:
    """As :func:`load_policy`, but the strictest built-in policy where that raises: for a server, which must go on."""
    try:
        return load_policy(floor_path=floor_path, environ=environ, home=home, owner=owner)
    except (PolicyError, GuardFailureError) as error:
        return _strictest(f"The policy is invalid, so the strictest built-in policy applies: {error}")


def load_policy_file(path: Path) -> LoadedPolicy:
    """The policy in one file, whoever may write it: to check it before it is put in force.

    Raises
    ------
    PolicyError
        The file is not there, cannot be read or is invalid.
    """
    found = _read(path, trusted=set())
    if found is None:
        message = f"{path}: no such file"
        raise PolicyError(message)
    policy = _parse().parse_policy(found.text, str(path))
    return LoadedPolicy(policy, (PolicySource(Origin.USER, str(path), found.digest),))


def policy_stamp(*, floor_path: Path = FLOOR, environ: Mapping[str, str], home: Path) -> tuple[object, ...]:
    """A value that changes when a policy file, or who may write to the floor, changes. A few microseconds."""
    marks: list[object] = []
    for path in (floor_path, _user_path(environ, home)):
        try:
            found = path.stat()
        except OSError as error:
            marks.append(error.errno)
            continue
        marks.append((found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    for folder in floor_path.parents:
        try:
            found = folder.stat()
        except OSError as error:
            marks.append(error.errno)
            continue
        marks.append((found.st_ino, found.st_mode, found.st_uid))
    return tuple(marks)


def _strictest(notice: str) -> LoadedPolicy:
    return LoadedPolicy(STRICTEST, (PolicySource(Origin.BUILT_IN, "strictest", ""),), (notice,))


def _user_path(environ: Mapping[str, str], home: Path) -> Path:
    named = environ.get("QGUARD_POLICY", "")
    return Path(named) if named else default_policy_path(environ, home)


def default_policy_path(environ: Mapping[str, str], home: Path) -> Path:
    """Where a user's own policy lies unless ``$QGUARD_POLICY`` says otherwise."""
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else home / ".config") / "jupyter-qguard" / "policy.yaml"


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    digest: str
    distrust: str


def _parse() -> ModuleType:
    """The parser, which is imported where there is a file: YAML and the catalogue come with it."""
    return import_module("jupyter_qguard.policy.parse")


def _read_user(path: Path, environ: Mapping[str, str]) -> _Text | None:
    """The user's file, or None if there is none; one that was asked for by name must be there."""
    found = _read(path, trusted={_ROOT, os.geteuid()}, group_may_write=True)
    if found is None and environ.get("QGUARD_POLICY"):
        message = f"{path}: no such file, but $QGUARD_POLICY names it"
        raise PolicyError(message)
    if found and found.distrust:
        message = f"{path} {found.distrust}: nobody but you and root may be able to change your policy"
        raise PolicyError(message)
    return found


def _read(path: Path, *, trusted: set[int], group_may_write: bool = False) -> _Text | None:
    """What *path* holds and why it cannot be trusted, judged by the opened file; None if there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise PolicyError(message) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            message = f"{path}: not a regular file"
            raise PolicyError(message)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise PolicyError(message) from None
    finally:
        os.close(descriptor)
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        message = f"{path}: not valid UTF-8 at byte {error.start}"
        raise PolicyError(message) from None
    forbidden = stat.S_IWOTH if group_may_write else _OTHERS_WRITE
    return _Text(text, hashlib.sha256(content).hexdigest(), _writable_by_others(found, trusted, forbidden))


def _distrust(path: Path, owner: int) -> str:
    """Why somebody but root and *owner* could change what *path* leads to; empty if nobody can.

    Where nothing is there only the folder that it would stand in counts: who can write there could have removed it.
    """
    trusted = {_ROOT, owner}
    left = list(reversed(path.absolute().parts[1:]))
    at, links, why = Path(path.anchor or "/"), 0, ""
    while True:
        try:
            found = at.lstat()
            target = at.readlink() if stat.S_ISLNK(found.st_mode) else None
        except (FileNotFoundError, NotADirectoryError):
            return why if not left else ""
        except OSError as error:
            return f"{at} cannot be looked at: {error.strerror}"
        if target is not None:
            links += 1
            if found.st_uid not in trusted or links > _MAX_LINKS:
                return f"{at} is a link that belongs to somebody else or leads in a circle"
            left += [part for part in reversed(target.parts) if part != target.anchor]
            at = Path(target.anchor) if target.is_absolute() else at.parent
            continue
        if stat.S_ISDIR(found.st_mode):
            why = why or _folder_distrust(at, found, trusted)
        if not left:
            return why
        part = left.pop()
        at = at.parent if part == ".." else at / part


def _folder_distrust(folder: Path, found: os.stat_result, trusted: set[int]) -> str:
    """Why others could put a file of theirs into *folder*, or swap one in it."""
    why = _writable_by_others(found, trusted, _OTHERS_WRITE)
    if not why:
        return ""
    if found.st_uid in trusted and found.st_mode & stat.S_ISVTX:
        return ""  # sticky: only an entry's owner renames or removes it, and the owner of each entry is checked
    if found.st_uid in trusted and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return ""  # Kubernetes mounts a ConfigMap read-only with mode 0777
    return f"the folder {folder} {why}"


def _writable_by_others(found: os.stat_result, trusted: set[int], forbidden: int) -> str:
    if found.st_uid not in trusted:
        return f"belongs to user {found.st_uid}"
    if found.st_gid == _ROOT:
        forbidden &= ~stat.S_IWGRP
    return "can be written by others" if found.st_mode & forbidden else ""
