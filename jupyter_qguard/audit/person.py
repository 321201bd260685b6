"""Who is responsible for what this server does: fixed when it starts, by what started it."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def server_user(environ: Mapping[str, str]) -> str:
    """The JupyterHub user this server was spawned for, else the operating system's user.

    Nothing that a request or a notebook says enters here: those are claims.
    """
    hub_user = environ.get("JUPYTERHUB_USER", "")
    if hub_user:
        return hub_user
    if hasattr(os, "getuid"):
        import pwd  # noqa: PLC0415 - not there on Windows

        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # containers run as uids that no file names
            return f"uid:{os.getuid()}"
    return getpass.getuser()
