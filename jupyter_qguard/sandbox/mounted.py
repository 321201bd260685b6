"""Whether the mounts of a kernel came where they belong. Pure.

Paths are looked up when they are resolved and again when they are mounted. Where another kernel writes it can put a link
there in between: to keys, which would then be mounted writable, or to somewhere else, so that a repository has no
protection. Linux tells afterwards what lies where.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ESCAPED = re.compile(r"\\([0-7]{3})")
_TWO = ("--bind", "--dev-bind", "--ro-bind")
_VALUES = {"--perms": 1, "--cap-drop": 1, "--symlink": 2, "--ro-bind-try": 2}
"""Options of bubblewrap that are none of a mount's, and how many words follow each."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of ``/proc/PID/mountinfo``."""

    device: str
    root: str
    """What of the file system is mounted."""
    point: str
    read_only: bool
    file_system: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mount that was asked for."""

    option: str
    source: str
    where: str


def misplaced(arguments: Sequence[str], mountinfo: bytes) -> list[str]:
    """The places among bubblewrap's *arguments* at which, by *mountinfo*, lies something else than was wanted.

    Only such below what a kernel can write; nobody can change the others.
    """
    mounts = [_parsed(line) for line in os.fsdecode(mountinfo).splitlines()]
    every = list(_wanted(arguments))
    covers = _covers(every, mounts)
    writable: list[str] = []
    found = []
    for wanted in every:
        if any(_below(wanted.where, top) for top in writable) and not _is_there(wanted, mounts, covers):
            found.append(wanted.where)
        if wanted.option in ("--bind", "--dev-bind"):
            writable.append(wanted.where)
    return found


def _wanted(arguments: Sequence[str]) -> Iterator[Wanted]:
    at = 0
    while at < len(arguments):
        option = arguments[at]
        if option in _TWO:
            yield Wanted(option, arguments[at + 1], arguments[at + 2])
            at += 3
        elif option == "--tmpfs":
            yield Wanted(option, "", arguments[at + 1])
            at += 2
        else:
            at += 1 + _VALUES.get(option, 0)


def _parsed(line: str) -> Mount:
    fields = line.split(" ")
    root, point = (_ESCAPED.sub(lambda code: chr(int(code[1], 8)), field) for field in fields[3:5])
    return Mount(fields[2], root, point, "ro" in fields[5].split(","), fields[fields.index("-") + 1])


def _covers(every: Sequence[Wanted], mounts: Sequence[Mount]) -> set[Mount]:
    """The folders of the sandbox's own, empty or from elsewhere, below which the machine's are mounted."""
    last = {mount.point: mount for mount in mounts}
    return {last[each.where] for each in every if each.source != each.where and each.where in last}


def _is_there(wanted: Wanted, mounts: Sequence[Mount], covers: set[Mount]) -> bool:
    own = [mount for mount in mounts if mount.point == wanted.where]
    if not own:
        return False
    if wanted.option == "--tmpfs":
        return own[-1].file_system == "tmpfs"
    if wanted.source != wanted.where:
        return True
    if wanted.option == "--ro-bind" and not own[-1].read_only:
        return False
    # The machine itself may have a file system mounted there; else it is a part of what lies above it.
    device, root = (own[-2].device, own[-2].root) if len(own) > 1 else _part(wanted.where, mounts, covers)
    return (own[-1].device, own[-1].root) == (device, root)


def _part(where: str, mounts: Sequence[Mount], covers: set[Mount]) -> tuple[str, str]:
    above = [mount for mount in mounts if _below(where, mount.point) and mount not in covers]
    nearest = max(reversed(above), key=lambda mount: len(PurePath(mount.point).parts))
    return nearest.device, str(PurePath(nearest.root) / PurePath(where).relative_to(nearest.point))


def _below(path: str, top: str) -> bool:
    return path != top and PurePath(path).is_relative_to(top)
