"""Keeps what a kernel wrote from being run by the server itself, or by what it starts.

A server that works in its own root folder takes code from there in three ways: ``python -m`` puts that folder first among
those that modules come from, nbconvert looks for templates in it, which are programs, and git runs what the configuration of
a repository says, which a kernel can make. Folders *inside* of the workspace that the server imports from are read-only for
kernels instead (:mod:`jupyter_qguard.sandbox.workspace`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from traitlets.config import Config

_GIT = {
    # A program that `git status` starts.
    "core.fsmonitor": "false",
    # A folder that only looks like the inside of a repository is none.
    "safe.bareRepository": "explicit",
}


def modules_of_workspace(import_path: list[str], workspace: Path) -> list[str]:
    """Take out of *import_path* what a kernel writes: *workspace*, and a script's own folder inside of it. What was taken."""
    taken = []
    for at, entry in enumerate(list(import_path)):
        place = Path(entry or ".").resolve()
        if place == workspace or (at == 0 and place.is_relative_to(workspace)):
            import_path.remove(entry)
            taken.append(entry)
    return taken


def refuse_templates(config: Config) -> None:
    """Have nbconvert look for templates where Jupyter's data is, and not in the folder that the server works in."""
    if "extra_template_basedirs" not in config.TemplateExporter:
        config.TemplateExporter.extra_template_basedirs = []


def tame_git(environ: MutableMapping[str, str]) -> None:
    """Have git, started from here, run nothing that a repository names for a mere look at it.

    Filters and hooks that a person's own command would run are left: a commit from Lab must pass the hooks that check it.
    """
    known = int(environ["GIT_CONFIG_COUNT"]) if environ.get("GIT_CONFIG_COUNT", "").isdigit() else 0
    for at, (key, value) in enumerate(_GIT.items(), known):
        environ[f"GIT_CONFIG_KEY_{at}"], environ[f"GIT_CONFIG_VALUE_{at}"] = key, value
    environ["GIT_CONFIG_COUNT"] = str(known + len(_GIT))
    # A look that writes the index would start the hook `post-index-change`.
    environ["GIT_OPTIONAL_LOCKS"] = "0"


def keep_workspace_out(import_path: list[str], root: str) -> str:
    """Take the workspace out of *import_path*; the warning for the log, empty if it was not there.

    What was imported before stays: a kernel of an earlier server may have left it.
    """
    if not modules_of_workspace(import_path, Path(os.path.realpath(root))):
        return ""
    return (
        "jupyter_qguard: this server was started in a way (`python -m`) in which it imports modules from the folder that "
        "kernels write to, before the guard is there. Start it with `jupyter lab`, or set PYTHONSAFEPATH=1."
    )
