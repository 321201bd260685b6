"""What all kernels of this process stand on: the gateway, the baits of the canaries, the policy, the starting thread."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.audit.person import server_user
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.gateway.control import Welcome
from jupyter_qguard.policy import LivePolicy
from jupyter_qguard.sandbox.bait import Bait
from jupyter_qguard.sandbox.companion import make_library
from jupyter_qguard.sandbox.folders import ProcessFolder
from jupyter_qguard.sandbox.lasting import LastingThread
from jupyter_qguard.sandbox.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.policy import Policy
    from jupyter_qguard.sandbox.owner import Notice


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
    library: Path
    """Where the guard's part in kernels is imported from."""
    bait: Bait
    starter: LastingThread
    policy: _Policy


@dataclass(frozen=True, slots=True)
class _Own:
    pid: int
    folder: ProcessFolder
    library: Path
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
            library = make_library(folder.path)
            load_catalog()  # not by several threads at once: msgspec crashes where they meet a type for the first time
            _own[:] = [_Own(os.getpid(), folder, library, Bait(folder.path), LastingThread(), _Policy())]
            atexit.register(_end, _own[0])
        own = _own[0]
    return Ground(the_owner(), own.folder, own.library, own.bait, own.starter, own.policy)


def _end(own: _Own) -> None:
    if own.pid == os.getpid():
        own.bait.close()
        own.folder.remove()


_owners: list[Owner] = []
_owning = threading.Lock()


def the_owner() -> Owner:
    """The owner of this process, started.

    Raises
    ------
    GatewayError
        The gateway does not run.
    """
    owner = _made_owner()
    owner.start()
    return owner


def watch(watcher: Callable[[Notice], None]) -> None:
    """Have *watcher* called, from another thread, with what people should see of this process's kernels."""
    _made_owner().subscribe(watcher)


def _made_owner() -> Owner:
    with _owning:
        if not _owners:
            owner = Owner(Welcome(user=server_user(os.environ)))
            atexit.register(owner.close)
            _owners.append(owner)
        return _owners[0]


def _forget_in_child() -> None:
    global _making, _owning  # other threads of the parent may hold them
    _making, _owning = threading.Lock(), threading.Lock()
    for owner in _owners:
        atexit.unregister(owner.close)
        owner.abandon()
    _owners.clear()


os.register_at_fork(after_in_child=_forget_in_child)
