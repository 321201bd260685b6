"""Another user for tests that run as root: an ordinary one, with an interpreter that it can execute."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

NOBODY = 65534
REPOSITORY = Path(__file__).parents[1]


def ordinary(folder: Path, *, user: int = NOBODY, name: str = "home") -> tuple[str, dict[str, str], dict[str, object]]:
    """Interpreter, variables and options of :class:`subprocess.Popen` for *user*, with a home in *folder*.

    Where the tests do not run as root, for who they run as.
    """
    if os.geteuid() != 0:
        return oneself(folder, name)
    python, environment, _ = oneself(folder, name)
    os.chown(environment["HOME"], user, user)
    temporary = Path(tempfile.gettempdir()).resolve()
    for each in (folder, *folder.parents):
        if temporary in each.parents and each.stat().st_uid == 0:
            each.chmod(0o755)
    if os.path.realpath(python).startswith("/root/"):
        # The tests' interpreter lies where an ordinary user cannot go: the system's, of the same version, can.
        python = "/usr/bin/python3"
        site = [path for path in sys.path if path.endswith("site-packages")]
        environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), *site])
    return python, environment, {"user": user, "group": user, "extra_groups": []}


def oneself(folder: Path, name: str = "home") -> tuple[str, dict[str, str], dict[str, object]]:
    """The same for whoever runs the tests."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "JUPYTER_PLATFORM_DIRS": "1",
    }
    return sys.executable, environment, {}
