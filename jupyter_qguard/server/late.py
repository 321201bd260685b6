"""Lets a contents manager go on with a save while the content is still being scanned: up to the first byte on the disk.

Most of what a save costs is work on copies: checking, signing, putting text together. It takes as long as the scan in
another process, so both go on at once. What must wait is the file, which is not opened before the content is cleared,
and the log, since complaints about a document quote it.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from tornado import web

from jupyter_qguard.server.passage import begun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from jupyter_qguard.server.passage import Passage


class WithheldError(web.HTTPError):
    """The content must not be written as it is. Ends a save of a contents manager, which logs no ``HTTPError``."""

    def __init__(self) -> None:
        """Without words: whoever started the save knows more."""
        super().__init__(422)


class Pending:
    """A decision that is still being made."""

    def __init__(self, decision: Future[tuple[dict[str, Any], Passage]]) -> None:
        """*decision* gives what may be written, or raises the refusal."""
        self.decision = decision
        self._records: list[logging.LogRecord] = []

    @property
    def is_cleared(self) -> bool:
        """Whether it is known that the content may be written as it is."""
        return self.decision.done() and self._allows()

    def wait(self) -> None:
        """Block until the decision is made. Raises WithheldError unless the content may be written as it is."""
        if not self._allows():
            raise WithheldError

    def withhold(self, record: logging.LogRecord) -> None:
        """Keep a record of the log until it is known whether it may be written."""
        self._records.append(record)

    def release(self) -> None:
        """Write the records that were kept: the content is cleared."""
        for record in self._records:
            logging.getLogger(record.name).handle(record)
        self._records.clear()

    def _allows(self) -> bool:
        if self.decision.exception() is not None:
            return False
        clearance = self.decision.result()[1].clearance
        return clearance is not None and not clearance.redacted


class LateFile:
    """Stands for a file that is opened with the first write to it, once that is allowed."""

    def __init__(self, open_file: Callable[[], Any]) -> None:
        """*open_file* blocks until the file may be opened, and opens it; or raises."""
        self._open_file = open_file
        self._file: Any = None

    def open(self) -> Any:
        """The file."""
        if self._file is None:
            self._file = self._open_file()
        return self._file

    def write(self, data: Any) -> Any:
        """As a file's; blocks, and is called in a thread."""
        return self.open().write(data)


@contextmanager
def written_late(pending: Pending, writing: AbstractContextManager[Any]) -> Iterator[LateFile]:
    """In place of *writing*, which opens a file and empties it: that is put off until *pending* is decided."""
    with ExitStack() as stack:

        def open_file() -> Any:
            pending.wait()
            return stack.enter_context(writing)

        file = LateFile(open_file)
        yield file
        file.open()  # a save of nothing empties the file


class UnclearedFilter(logging.Filter):
    """Keeps back what is logged about content that is not cleared yet."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be written now."""
        pending = next((passage.pending for passage in begun() if passage.pending is not None), None)
        if pending is None or pending.is_cleared:
            return True
        pending.withhold(record)
        return False
