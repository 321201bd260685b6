"""Makes a process that handles secrets hard to look into for the user's other processes. Linux; elsewhere nothing."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4
"""From ``linux/prctl.h``."""


def refuse_inspection() -> bool:
    """Forbid core dumps of this process, and other processes of the user to attach to it or read its memory.

    Kernels run with the server's uid: without this, one could read the server's memory through ``/proc``. Programs
    started later are not affected: the kernel resets the flag when they are executed; they inherit only the limit on
    core files, and may raise it again.

    Returns
    -------
    bool
        Whether the operating system did it.
    """
    if not sys.platform.startswith("linux"):
        return False
    import resource  # noqa: PLC0415 - not there on Windows

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
