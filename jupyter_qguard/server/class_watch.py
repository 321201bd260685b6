"""Watches the class that notebooks state of themselves: whoever lowers it says why, and that is recorded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.policy.decide import decide_class_change
from jupyter_qguard.policy.model import Action, Mode
from jupyter_qguard.server import refusal
from jupyter_qguard.server.notices import GuardNotice
from jupyter_qguard.server.refusal import WritePath
from jupyter_qguard.server.signature import signature_of
from jupyter_qguard.server.statement import Statement, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_qguard.server.notices import NoticeBoard
    from jupyter_qguard.server.policy_watch import PolicyWatch
    from jupyter_qguard.server.signature import Signature
    from jupyter_qguard.server.submission import Submission
    from jupyter_qguard.server.trail import Trail

_WRITES_REMEMBERED = 2000
_REPLACING = frozenset((WritePath.SAVE, WritePath.UPLOAD, WritePath.RESTORE))
"""The ways by which content takes the place of a file; by the others it goes where none is."""


class ClassWatch:
    """Compares what is to be written with what it replaces. Safe for several threads."""

    def __init__(
        self, policy: PolicyWatch, trail: Trail, board: NoticeBoard, file_of: Callable[[str], str | None]
    ) -> None:
        """*file_of* finds the file behind an API path; None where the contents manager keeps no files. There nothing is
        compared."""
        self._policy = policy
        self._trail = trail
        self._board = board
        self._file_of = file_of
        self._lock = threading.Lock()
        self._written: OrderedDict[str, tuple[Signature, Statement]] = OrderedDict()

    def written(self, submission: Submission, signature: Signature) -> None:
        """*submission* was written: what it states need not be read again, as long as the file has that *signature*."""
        if not submission.is_notebook:
            return
        with self._lock:
            self._written[submission.path] = signature, submission.statement()
            self._written.move_to_end(submission.path)
            while len(self._written) > _WRITES_REMEMBERED:
                self._written.popitem(last=False)

    def lowers(self, submission: Submission, way: WritePath) -> bool:
        """Whether *submission* states a lower class than the notebook that it replaces, for a reason to record.

        Raises
        ------
        RefusedError
            It states one, and gives no reason, or the one of an earlier change.
        OSError
            The notebook that is there cannot be read.
        """
        before = self._before(submission.path) if submission.is_notebook and way in _REPLACING else None
        if before is None:
            return False
        after = submission.statement()
        reason = after.reason_after(before)
        change = decide_class_change(before.classification, after.classification, reason)
        if not change.lowered or change.action is Action.ALLOW:
            return change.lowered
        observed = self._policy.current().policy.scan.mode is Mode.OBSERVE
        self._trail.class_kept(submission.path, after, way, change.reason, observed=observed)
        if observed:
            return False
        refused = refusal.class_kept(submission.path, way, change.reason)
        self._board.guard(GuardNotice.CLASS, refused.message, submission.path)
        raise refused

    def _before(self, path: str) -> Statement | None:
        file = self._file_of(path)
        if file is None or not Path(file).is_file():
            return None
        with self._lock:
            known = self._written.get(path)
        if known is not None and known[0] == signature_of(file):
            return known[1]
        return statement_of(Path(file).read_bytes())
