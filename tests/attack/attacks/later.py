"""What comes after the kernel's start, and what a kernel before it has left for its start."""

from __future__ import annotations

import os
import socket
from contextlib import closing, suppress

from .base import Judge, Target, attack, each

_KEYS: dict[str, object] = {
    "a folder of a tool that nobody knows": ".latertool/token",
    "a file with a dot": ".laterrc",
    "a file without one": "later-token.txt",
    "a folder in .config": ".config/latercloud/token",
    "a folder in .local/share": ".local/share/laterkeys/token",
    "a file that was there, and is replaced": ".netrc",
    "a folder that was there, and is replaced": ".aws/credentials",
}
"""What is stored in the home folder while the kernel runs."""
FILES = {label: str(path) for label, path in _KEYS.items()}
LINK = ".cache/id_ed25519"


@each(Judge.SECRET, "a key stored later", dict(_KEYS), path="{home}/{case}", secret="later")
def key(target: Target, _: object) -> bytes:
    with open(target.path, "rb") as file:
        return file.read(500)


@attack(Judge.ACCEPTED, "an agent's socket made later", path="{home}/.later-agent.sock")
def agent(target: Target) -> str:
    with closing(socket.socket(socket.AF_UNIX)) as end:
        end.connect(target.path)
        end.send(target.nonce.encode())
    return "connected"


@attack(Judge.WRITTEN, "a file system that is mounted later", path="{home}/share/planted")
def share(target: Target) -> str:
    with open(target.path, "a", encoding="utf-8") as file:
        file.write(target.nonce)
    return "written"


@attack(Judge.SECRET, "keys through a link that an earlier kernel put in the place of a folder", secret="ssh")
def link(target: Target) -> bytes:
    with open(f"{target.world.home}/{LINK}", "rb") as file:
        return file.read(500)


@attack(Judge.WRITTEN, "keys, written through such a link", path="{home}/.ssh/authorized_keys")
def link_written(target: Target) -> str:
    with open(f"{target.world.home}/.cache/authorized_keys", "a", encoding="utf-8") as file:
        file.write(f"\n{target.nonce}\n")
    return "written"


@attack(Judge.WRITTEN, "a repository's `.git` file (worktree, submodule), replaced", path="{workspace}/tree/.git")
def worktree(target: Target) -> str:
    other = f"{target.path}.{target.number}"
    with open(other, "w", encoding="utf-8") as file:
        file.write(f"gitdir: {target.nonce}\n")
    os.replace(other, target.path)
    return "replaced"


_DEEP: dict[str, object] = {"in place": "", "a folder above renamed": "one"}


@each(
    Judge.WRITTEN,
    "a hook of a repository far below the workspace",
    _DEEP,
    path="{workspace}/one/two/three/four/five/.git/hooks/post-checkout",
)
def deep(target: Target, case: object) -> str:
    if case:
        os.rename(f"{target.world.workspace}/one", f"{target.world.workspace}/aside{target.number}")
        os.makedirs(os.path.dirname(target.path))
    with open(target.path, "a", encoding="utf-8") as file:
        file.write(f"\n# {target.nonce}\n")
    return "written"


def plant(home: str) -> None:
    """What the kernel before leaves: links in all places that could stand for ``~/.cache``."""
    for place in (".local/share/jupyter-qguard/kernels/cache", ".local/share/jupyter-qguard/kernels-cache", ".cache"):
        path = f"{home}/{place}"
        with suppress(OSError):
            if os.path.lexists(path):
                os.rename(path, f"{path}.aside")
            os.symlink(f"{home}/.ssh", path)
