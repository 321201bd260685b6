"""What all kernels of this process stand on: the gateway, the baits of the canaries, the policy, the starting thread."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.policy import LivePolicy
from jupyter_qguard.sandbox.bait import Bait
from jupyter_qguard.sandbox.folders import ProcessFolder
from jupyter_qguard.sandbox.lasting import LastingThread
from jupyter_qguard.sandbox.owner import the_owner

if TYPE_CHECKING:
    from jupyter_qguard.policy import Policy
    from jupyter_qguard.sandbox.owner import Owner


class _Policy:
    """The policy in force, for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live = LivePolicy(environ=os.environ, home=Path.home())

    def __call__(self) -> Policy:
        with self._lock:
            self._live.refresh()
            return self._live.current.policy


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts, ready."""

    owner: Owner
    folder: ProcessFolder
    bait: Bait
    starter: LastingThread
    policy: _Policy


@dataclass(frozen=True, slots=True)
class _Own:
    pid: int
    folder: ProcessFolder
    bait: Bait
    starter: LastingThread
    policy: _Policy


_own: list[_Own] = []
_making = threading.Lock()


def the_ground() -> Ground:
    """The ground of this process; of a forked child a new one.

    Raises
    ------
    GatewayError
        The gateway does not run.
    """
    with _making:
        if not _own or _own[0].pid != os.getpid():
            folder = ProcessFolder()
            _own[:] = [_Own(os.getpid(), folder, Bait(folder.path), LastingThread(), _Policy())]
            atexit.register(_end, _own[0])
        own = _own[0]
    return Ground(the_owner(), own.folder, own.bait, own.starter, own.policy)


def _end(own: _Own) -> None:
    if own.pid == os.getpid():
        own.bait.close()
        own.folder.remove()
