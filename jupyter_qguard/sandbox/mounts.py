"""The files of a kernel, as arguments of bubblewrap. Everything is read-only but what is named here.

One rule holds for every path: the rule on the path itself, else that of the nearest folder above it that has one. So
the order in which rules are found does not matter, and mounts are made from the root down. Where two rules meet on one
path, the later one of :func:`rules_of` holds.

What is missing cannot be protected by a mount, and what is replaced loses its mount. So a home folder that is not the
workspace is an empty one, in which what it held when the kernel started is mounted (decision 0012): a key that is made
later is not there. Where connections are enforced it is never writable as a whole (decision 0007).

Paths are resolved first: a link that stands in the way of a mount would be followed in the wrong root. A kernel that
runs can put one there in the meantime; :mod:`.mounted` looks at what came of it.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.sandbox.errors import FilesError
from jupyter_qguard.sandbox.places import (
    CROWDED,
    HIDDEN_AT_HOME,
    READ_ONLY_AT_HOME,
    SEEN_AT_HOME,
    known_part,
    places_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Kind(enum.Enum):
    """What lies at a path."""

    MISSING = 0
    FILE = 1
    """Or a socket, a device: all that is no folder."""
    FOLDER = 2


class Access(enum.Enum):
    """What a kernel may do at a path."""

    HIDDEN = 0
    READ_ONLY = 1
    READ_WRITE = 2
    PRIVATE = 3
    """An empty folder of its own, gone with the kernel."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds at a path and below it."""

    access: Access
    source: Path | None = None
    """What is seen there, where that is not the path itself."""
    required: bool = False
    """Whether no kernel starts without it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one kernel, as they are on this machine."""

    home: Path
    workspace: Path
    connection_dir: Path
    """The folder of this kernel's connection file and sockets."""
    interpreters: tuple[Path, ...]
    """Prefixes of the environments that a kernel or the server runs from, and the guard's own part in kernels."""
    resolv_conf: Path
    """The file that stands for ``/etc/resolv.conf``."""
    hidden: tuple[Path, ...]
    read_only: tuple[Path, ...]
    read_write: tuple[Path, ...]
    """Of the policy. Refused where they would open what is hidden or the system's."""
    overlay: Path | None
    """The folder for what kernels install; None: it goes with the kernel."""
    cache: Path | None = None
    """What stands for ``~/.cache``; None: it goes with the kernel. Never in a folder that a kernel can write: a link in
    its place would be followed by the next kernel's mounts."""
    home_writable: bool = False
    """Where the workspace is the home folder: whether all of it is writable but what is protected by name."""
    home_entries: tuple[Path, ...] = ()
    """Where the workspace is the home folder: what lies in it and is to be writable."""
    home_seen: tuple[Path, ...] | None = None
    """What lies in the home folder and is to be seen, links left out; None: all of it, also what comes later."""
    home_has: frozenset[str] | None = None
    """What :func:`.places.known_part` of a name must be among for the name to be there; None: who knows."""
    home_links: tuple[tuple[Path, str], ...] = ()
    """Links in the home folder, and what each says."""
    moved: tuple[tuple[str, Path], ...] = ()
    """Folders that variables put elsewhere than in the home folder: name in it (``.config``), and where it is."""
    repositories: tuple[Path, ...] = ()
    """Folders that hold a ``.git``, in what a kernel may write."""


NAMESPACES = tuple(
    # Namespaces inside those of the stub, which made the network. No --new-session: the kernel has a session of its own
    # already, and typing into a terminal is refused by the filter of system calls.
    "--unshare-user --unshare-pid --unshare-ipc --die-with-parent --cap-drop ALL "
    "--ro-bind / / --proc /proc --dev /dev "
    # Root owns the files of /proc/sys even without a capability: `core_pattern` names a program that the machine runs.
    "--ro-bind /proc/sys /proc/sys --ro-bind-try /proc/sysrq-trigger /proc/sysrq-trigger".split()
)
"""What every sandbox begins with."""
SHARED = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm")  # noqa: S108 - hidden behind folders of the kernel's own
"""Folders in which others leave files and sockets: D-Bus, agents, container engines, resolvers, name services."""
SYSTEM = tuple(
    map(Path, "/bin /boot /dev /etc /lib /lib32 /lib64 /proc /run /sbin /sys /usr /var/run /var/spool".split())
)
"""What no policy makes writable. Single devices are the exception: a graphics card for simulators."""
_NOT_OF_THE_ROOT = {"dev", "proc"}
"""What lies there is not that of the root below it."""
IN_REPOSITORY = (".git", ".vscode", ".idea")
"""Configuration that git and editors run commands from. All of ``.git``: ``commondir`` or ``modules`` lead around its
``config``. Committing is for outside of a kernel, or for a policy that makes it writable."""
OWN_AT_HOME = {
    ".ipython": (
        "extensions nbextensions profile_default/startup profile_default/ipython_config.py "
        "profile_default/ipython_kernel_config.py profile_default/ipython_config.json"
    ).split(),
    ".config/matplotlib": ["matplotlibrc", "stylelib"],
}
"""Folders that a kernel gets empty and its own, as a library must be able to write them and others run code from them;
and what it still reads of them."""


def bwrap_arguments(
    layout: Layout, exists: Callable[[Path], Kind], resolve: Callable[[str], str] = os.path.realpath
) -> list[str]:
    """What stands between ``bwrap`` and ``--``, without ``--seccomp``.

    Raises :class:`FilesError` where the policy would open what it may not, and where a required folder is missing.
    """
    arguments = [*NAMESPACES]
    sealed: list[str] = []
    rules = _with_ways(rules_of(layout, lambda path: Path(resolve(str(path)))), exists)
    home = Path(resolve(str(layout.home)))
    for path in sorted(rules, key=lambda path: (len(path.parts), path)):
        rule, where = rules[path], str(path)
        kind = exists(path)
        if rule.required and exists(rule.source or path) is Kind.MISSING:
            raise FilesError(f"a kernel needs `{rule.source or path}`, and there is no such file or folder")
        if (kind is Kind.MISSING and not rule.required) or _holds_already(rules, path) or _out_of_sight(rules, path):
            continue
        if rule.access is Access.PRIVATE:
            arguments += ["--perms", "1777", "--tmpfs", where]
        elif rule.access is Access.HIDDEN and kind is Kind.FOLDER:
            arguments += ["--tmpfs", where]
            sealed += ["--remount-ro", where]
            for link, text in layout.home_links if path == home else ():
                arguments += ["--symlink", text, str(link)]
        elif rule.access is Access.HIDDEN:
            # A device on a mount without devices: reading it is refused.
            arguments += ["--ro-bind", os.devnull, where]
        else:
            arguments += [_option(rule.access, path), str(rule.source or path), where]
    # Sealed at the end, as the places of mounts further down must first be made in them.
    return arguments + sealed


def rules_of(layout: Layout, resolve: Callable[[Path], Path]) -> dict[Path, Rule]:
    """The rule of every path that has one; paths are resolved. Later ones hold where two meet."""
    home = resolve(layout.home)
    hidden = {resolve(path) for path in (*_named(layout, home, HIDDEN_AT_HOME), *layout.hidden)}
    own = {resolve(path) for path in layout.read_write}
    for path in own:  # what is not there yet counts too: a kernel could make it
        _check_writable(path, {*hidden, *(home / name for name in HIDDEN_AT_HOME)}, home)
    rules = {resolve(Path(path)): Rule(Access.PRIVATE) for path in SHARED}
    rules[home] = Rule(Access.READ_ONLY if layout.home_seen is None else Access.HIDDEN)
    rules.update((resolve(path), Rule(Access.READ_ONLY)) for path in layout.home_seen or ())
    rules.update((resolve(path), rule) for path, rule in _crowded(layout, home))
    rules.update(_at_home(layout, home))
    rules.update((resolve(path), Rule(Access.READ_WRITE)) for path in _writable(layout, home, resolve))
    read_only = [*_named(layout, home, READ_ONLY_AT_HOME)]
    read_only += [repository / name for repository in _repositories(layout) for name in IN_REPOSITORY]
    rules.update((resolve(path), Rule(Access.READ_ONLY)) for path in read_only)
    rules.update((path, Rule(Access.READ_WRITE)) for path in own)
    rules.update((resolve(path), Rule(Access.READ_ONLY)) for path in (*layout.interpreters, *layout.read_only))
    rules.update((path, Rule(Access.HIDDEN)) for path in hidden)
    rules[resolve(Path("/etc/resolv.conf"))] = Rule(Access.READ_ONLY, layout.resolv_conf, required=True)
    rules[resolve(layout.connection_dir)] = Rule(Access.READ_WRITE, required=True)
    rules.pop(Path("/"), None)
    return rules


_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")
"""What bubblewrap's own ``/dev`` holds too. Others are for the policy to name."""


def writable_places(
    layout: Layout, exists: Callable[[Path], Kind], resolve: Callable[[str], str] = os.path.realpath
) -> list[tuple[Path, bool]]:
    """Where a kernel may write that sees the files of this machine as they are, and whether it may make entries there.

    What is read-only or hidden inside of such a folder cannot be kept from it. Settings and caches that others run or
    believe are no kernel's own here, so that :data:`OWN_AT_HOME` is read-only and ``~/.cache`` lies elsewhere.
    """
    rules = rules_of(layout, lambda path: Path(resolve(str(path))))
    home = Path(resolve(str(layout.home)))
    own = {path for path, rule in rules.items() if rule.access in {Access.PRIVATE, Access.READ_WRITE}}
    own -= {
        Path(resolve(str(place))) for name in (".cache", *OWN_AT_HOME) for place in places_of(name, home, layout.moved)
    }
    own |= {Path(resolve(str(path))) for path in (layout.cache,) if path is not None}
    places = [(path, True) for path in sorted(own) if exists(path) is not Kind.MISSING]
    return [*places, *((Path("/dev", name), False) for name in _DEVICES)]


def _option(access: Access, path: Path) -> str:
    if access is Access.READ_ONLY:
        return "--ro-bind"
    return "--dev-bind" if path.is_relative_to("/dev") else "--bind"


def _with_ways(rules: dict[Path, Rule], exists: Callable[[Path], Kind]) -> dict[Path, Rule]:
    """*rules*, and one for each folder between what is writable and what is not: what is mounted cannot be renamed away."""
    ways: set[Path] = set()
    for path, rule in rules.items():
        between: list[Path] = []
        for folder in path.parents:
            if folder in rules:
                above = rules[folder]
                # Another folder that stands for it has no such ways: mounting them would open the machine's own.
                if above.access is Access.READ_WRITE is not rule.access and between and above.source is None:
                    ways.update(between if exists(path) is not Kind.MISSING else ())
                break
            between.append(folder)
    return {**rules, **dict.fromkeys(ways, Rule(Access.READ_WRITE))}


def _holds_already(rules: Mapping[Path, Rule], path: Path) -> bool:
    """Whether *path* needs no mount: what is above it is as closed, and no mount of Linux's own lies between."""
    rule = rules[path]
    if rule.source is not None or rule.required or path.parts[1] in _NOT_OF_THE_ROOT:
        return False
    above = next((rules[folder] for folder in path.parents if folder in rules), Rule(Access.READ_ONLY))
    return above.access is rule.access and rule.access in (Access.READ_ONLY, Access.HIDDEN)


def _out_of_sight(rules: Mapping[Path, Rule], path: Path) -> bool:
    """Whether *path* is to be hidden, and is anyway, as another folder stands for the one that it is in."""
    above = next((rules[folder] for folder in path.parents if folder in rules), None)
    return rules[path].access is Access.HIDDEN and above is not None and above.source is not None


def _named(layout: Layout, home: Path, names: Iterable[str]) -> Iterator[Path]:
    """Where *names* of the home folder are, also where a variable says so."""
    for name in names:
        if layout.home_has is None or known_part(name) in layout.home_has:
            yield home / name
        yield from (where / name[len(top) + 1 :] for top, where in layout.moved if name.startswith(f"{top}/"))


def _crowded(layout: Layout, home: Path) -> Iterator[tuple[Path, Rule]]:
    """Folders of many programs: by what is listed, or, where all of the home folder is writable, not to be renamed."""
    access = Access.READ_WRITE if layout.home_writable else Access.HIDDEN
    yield from ((home / name, Rule(access)) for name in CROWDED)
    if not layout.home_writable:
        yield from ((path, Rule(Access.READ_ONLY)) for path in _named(layout, home, SEEN_AT_HOME))


def _at_home(layout: Layout, home: Path) -> Iterator[tuple[Path, Rule]]:
    """Folders that programs must be able to write, and that others run code from: each kernel's or the overlay's own."""
    for own, kept in OWN_AT_HOME.items():
        for folder in places_of(own, home, layout.moved):
            yield folder, Rule(Access.PRIVATE)
            yield from ((folder / name, Rule(Access.READ_ONLY)) for name in kept)
    if layout.overlay is not None:
        yield layout.overlay, Rule(Access.READ_WRITE, required=True)
    for cache in places_of(".cache", home, layout.moved):
        yield cache, Rule(Access.PRIVATE if layout.cache is None else Access.READ_WRITE, layout.cache)


def _writable(layout: Layout, home: Path, resolve: Callable[[Path], Path]) -> Iterable[Path]:
    """The workspace; of a home folder what lies in it."""
    workspace = resolve(layout.workspace)
    if home.is_relative_to(workspace):
        return [home] if layout.home_writable else layout.home_entries
    return [workspace]


def _repositories(layout: Layout) -> tuple[Path, ...]:
    return (layout.workspace, *layout.home_entries, *layout.repositories)


def _check_writable(path: Path, hidden: Iterable[Path], home: Path) -> None:
    """Refuse an entry of the policy that opens too much."""
    if home.is_relative_to(path):
        raise FilesError(f"files: `{path}` must not be writable as a whole: it is, or holds, the home folder")
    device = path.is_relative_to("/dev") and path != Path("/dev")
    if not device and any(path.is_relative_to(part) or part.is_relative_to(path) for part in SYSTEM):
        raise FilesError(f"files: `{path}` must not be writable: it is the system's")
    if any(path.is_relative_to(secret) for secret in hidden):
        raise FilesError(f"files: `{path}` must not be writable: it holds credentials, or what guards kernels")
