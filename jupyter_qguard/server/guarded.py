"""The methods of a guarded contents manager that are the same whether it is asynchronous or not."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager, LargeFileManager

from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.redact.pathname import may_hold_a_secret
from jupyter_qguard.server import stored
from jupyter_qguard.server.gate import told
from jupyter_qguard.server.late import written_late
from jupyter_qguard.server.passage import going_on
from jupyter_qguard.server.refusal import WritePath
from jupyter_qguard.server.signature import noted as signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.server.gate import Gate
    from jupyter_qguard.server.passage import Passage


class GuardedContents:
    """What both kinds of guarded manager share. Mixed in before a contents manager's own class."""

    _qguard: Gate

    def is_hidden(self, path: str) -> Any:
        """As before. The first that is asked about a path that somebody sends: the log must know it before it quotes it."""
        return self._qguard_noted(super().is_hidden, path)  # type: ignore[misc]

    def file_exists(self, path: str = "") -> Any:
        """As :meth:`is_hidden`, which nobody asks where hidden files are allowed."""
        return self._qguard_noted(super().file_exists, path)  # type: ignore[misc]

    def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """As :meth:`is_hidden`, for exports."""
        return self._qguard_noted(super().get, path, *args, **kwargs)  # type: ignore[misc]

    def list_checkpoints(self, path: str) -> Any:
        """As :meth:`is_hidden`, for the list of the checkpoints of a file that need not be there."""
        return self._qguard_noted(super().list_checkpoints, path)  # type: ignore[misc]

    def run_pre_save_hooks(self, model: Any, path: str, **kwargs: Any) -> None:
        """Run everybody's hooks, then look once more: they may have changed what is written."""
        super().run_pre_save_hooks(model=model, path=path, **kwargs)  # type: ignore[misc]
        self._qguard_last_look(model, path)

    def run_pre_save_hook(self, model: Any, path: str, **kwargs: Any) -> None:
        """As :meth:`run_pre_save_hooks`, for managers that still call the deprecated one."""
        super().run_pre_save_hook(model=model, path=path, **kwargs)  # type: ignore[misc]
        self._qguard_last_look(model, path)

    def atomic_writing(self, os_path: str, *args: Any, **kwargs: Any) -> Any:
        """Open a file for writing, but not before it is known that the content may be written."""
        writing = super().atomic_writing(os_path, *args, **kwargs)  # type: ignore[misc]
        passage = next(reversed(going_on()), None)
        if passage is None:
            return writing
        writing = signed(passage, writing)
        if passage.pending is None:
            return writing
        with self._qguard.refusing(passage.path, WritePath.SAVE):
            if not passage.is_compared:
                message = "the contents manager did not show what it will write"
                raise GuardFailureError(message)
        return written_late(passage.pending, writing)

    def check_and_sign(self, nb: Any, path: str = "", **kwargs: Any) -> None:
        """Compare the contents manager's own copy of a notebook with what is scanned, before it goes on with it."""
        if not kwargs:  # else it tries once more
            with self._qguard.refusing(path, WritePath.SAVE):
                self._qguard.compare(nb, path)
        super().check_and_sign(nb, path, **kwargs)  # type: ignore[misc]

    def _qguard_noted(self, call: Callable[..., Any], path: str, *args: Any, **kwargs: Any) -> Any:
        gate = self._qguard
        if not may_hold_a_secret(path):
            return call(path, *args, **kwargs)
        if not inspect.iscoroutinefunction(call):
            gate.guard.names.note(path)
            return call(path, *args, **kwargs)

        async def noted() -> Any:
            await gate.run(gate.guard.names.note, path)
            return await call(path, *args, **kwargs)

        return noted()

    def _qguard_last_look(self, model: Any, path: str) -> None:
        with self._qguard.refusing(path, WritePath.SAVE):
            self._qguard.last_look(model, path, others=any(self._qguard_hooks()))

    def _qguard_hooks(self) -> tuple[Any, Any]:
        """What others have set to run before a save."""
        return getattr(self, "pre_save_hook", None), getattr(self, "_pre_save_hooks", None)

    def _qguard_takes_chunks(self) -> bool:
        return isinstance(self, LargeFileManager | AsyncLargeFileManager)

    def _qguard_done(self, passage: Passage, saved: Any) -> Any:
        """A cleared write is done: remember it, and add to the answer what the client is told."""
        self._qguard.remember(passage, stored.file_of(self, passage.path))
        return told(saved, passage.clearance)
