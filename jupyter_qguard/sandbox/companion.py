"""The guard's part inside of a kernel: into which kernels it comes, and how. Pure but for one function.

An IPython kernel loads it as an extension, from a folder that holds this package alone: the kernel's interpreter may be
another environment's, and must not import from the server's. The end of its control channel is inherited; the variable
says at which number. Any other kernel gets none of it, as nothing in it would take the descriptor from its children.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jupyter_qguard.policy.model import Tier

EXTENSION = "jupyter_qguard.kernel"
VARIABLE = "QGUARD_CONTROL"
"""As :data:`jupyter_qguard.kernel.channel.VARIABLE`."""
_PROGRAMS = {"ipykernel", "ipykernel_launcher"}
"""What kernelspecs call with ``-m``; behind it IPython reads options."""
_OPTION = f"--InteractiveShellApp.extra_extensions={EXTENSION}"
_PACKAGE = Path(__file__).resolve().parent.parent


def takes_companion(argv: Sequence[str]) -> bool:
    """Whether the command of a kernelspec starts an IPython kernel."""
    return any(word == "-m" and after in _PROGRAMS for word, after in itertools.pairwise(argv))


def with_companion(
    argv: Sequence[str], variables: Mapping[str, str], library: Path, descriptor: int, tier: Tier
) -> tuple[list[str], dict[str, str]]:
    """*argv* and *variables* of an IPython kernel that loads the guard's part from *library*.

    First among the folders, so that nothing which a kernel has installed stands in for it.
    """
    path = os.pathsep.join(filter(None, (str(library), variables.get("PYTHONPATH", ""))))
    return [*argv, _OPTION], {**variables, "PYTHONPATH": path, VARIABLE: f"{descriptor}:{tier.label}"}


def make_library(folder: Path) -> Path:
    """A folder in *folder* that this package, and no other, can be imported from."""
    library = folder / "lib"
    library.mkdir(mode=0o700)
    (library / _PACKAGE.name).symlink_to(_PACKAGE)
    return library
