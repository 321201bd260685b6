"""Guards the live contents manager, whichever it is: every method that makes it write goes through the gate first.

The manager's class is swapped for a subclass made on the spot. A hook would not do: hooks run on the event loop, see
one chunk of an upload, and never see checkpoints.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from jupyter_server.services.contents.manager import AsyncContentsManager

from jupyter_qguard.server.guarded import GuardedContents
from jupyter_qguard.server.guarded_async import AsyncGuardedContents
from jupyter_qguard.server.guarded_sync import SyncGuardedContents
from jupyter_qguard.server.refusal import WritePath

if TYPE_CHECKING:
    from jupyter_server.services.contents.manager import ContentsManager

    from jupyter_qguard.server.gate import Gate

_LOG = logging.getLogger(__name__)


def guard_contents(manager: ContentsManager, gate: Gate) -> bool:
    """Guard *manager* from now on. Returns False where only its save hook could be set, because its class cannot be
    swapped: then uploads in chunks are refused at the first one, checkpoints stay unguarded, and ``status`` says so."""
    base: Any = type(manager)
    if issubclass(base, GuardedContents):
        return True
    is_async = issubclass(base, AsyncContentsManager) or inspect.iscoroutinefunction(base.save)
    mixin = AsyncGuardedContents if is_async else SyncGuardedContents
    body = {"__module__": base.__module__, "__doc__": base.__doc__, "__qualname__": base.__qualname__, "_qguard": gate}
    try:
        # The name stays: configuration and log lines go by it.
        manager.__class__ = type(base)(base.__name__, (mixin, base), body)
    except Exception:  # noqa: BLE001 - a class of others may refuse in its own way
        _LOG.warning("%s cannot be guarded whole: only its save hook is set", base.__name__)
        manager.register_pre_save_hook(save_hook(gate))  # type: ignore[no-untyped-call]
        return False
    return True


def save_hook(gate: Gate) -> Any:
    """A pre-save hook that refuses. A plain function, since the contents manager asks a failing hook for its name."""

    def qguard_pre_save_hook(model: Any, path: str, **_: Any) -> None:
        with gate.refusing(path, WritePath.SAVE):
            gate.guard.admit_name(path, WritePath.SAVE)
            if model.get("chunk") is not None:
                reason = "this contents manager shows only the first chunk of an upload, so the whole cannot be checked"
                raise gate.guard.unreadable(path, WritePath.UPLOAD, reason)
            gate.last_look(model, path, others=True)

    return qguard_pre_save_hook
