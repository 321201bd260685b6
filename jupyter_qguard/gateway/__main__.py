"""``python -m jupyter_qguard.gateway --control FD``: started by its owner, never by a person."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from jupyter_qguard.egress.resolver import system_lookup
from jupyter_qguard.errors import QGuardError
from jupyter_qguard.gateway.app import serve
from jupyter_qguard.process import refuse_inspection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def main(arguments: Sequence[str], lookup: Callable[[str], Iterable[str]] = system_lookup) -> int:
    """Serve until the owner is gone; the exit code. *lookup* is for tests: nothing in the environment changes it."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_qguard.gateway", description=__doc__)
    parser.add_argument("--control", type=int, required=True, metavar="FD", help="inherited end of the control pair")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="jupyter_qguard gateway: %(message)s", stream=sys.stderr)
    refuse_inspection()
    # Ctrl-C in a terminal reaches the whole group; when this process ends is for its owner to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _allow_many_descriptors()
    try:
        end = socket.socket(fileno=options.control)
        end.set_inheritable(False)
        asyncio.run(serve(end, lookup=lookup))
    except (QGuardError, OSError) as error:
        logging.getLogger(__name__).critical("%s", error)
        return error.exit_code if isinstance(error, QGuardError) else QGuardError.exit_code
    return 0


def _allow_many_descriptors() -> None:
    """Two for each connection, and the usual limit is 1024."""
    import resource  # noqa: PLC0415 - not there on Windows

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    # Not sys.exit: that waits for threads inside the system's resolver, up to half a minute.
    os._exit(code)
