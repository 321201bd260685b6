"""The log that is open for writing: many threads append, one write and one sync make a whole group durable.

The first thread that finds no group gathering leads the next one: it waits until the group before is on the disk,
then writes all that has gathered meanwhile, and wakes the others.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_qguard.audit.envelope import Record, prepare, screen_text
from jupyter_qguard.audit.event import AuditEvent, GuardFailed
from jupyter_qguard.audit.folder import AuditFolder
from jupyter_qguard.audit.keyfile import load_or_create_signer, publish_key
from jupyter_qguard.audit.refusals import RefusalCounter
from jupyter_qguard.audit.writer import ChainWriter, LogSettings
from jupyter_qguard.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jupyter_qguard.audit.checkpoints import Statement
    from jupyter_qguard.audit.event import Identity

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_CLOSED = "the audit log is closed"


@dataclass(slots=True)
class _Group:
    """Records that become durable together."""

    waiting: list[dict[str, Any]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    error: str = ""
    done: threading.Event = field(default_factory=threading.Event)


class AuditLog:
    """Appends to one trail. Safe for many threads; not to be used on both sides of a fork."""

    def __init__(
        self,
        folder: AuditFolder,
        writer: ChainWriter,
        identity: Identity,
        settings: LogSettings,
        clock: Callable[[], int],
        screen: Callable[[str], str],
    ) -> None:
        """Use :meth:`open`."""
        self._folder, self._writer, self._identity, self._settings = folder, writer, identity, settings
        self._clock, self._screen = clock, screen
        self._gate = threading.Lock()
        """Guards which group is gathering."""
        self._turn = threading.Lock()
        """Held by whoever uses the writer."""
        self._gathering: _Group | None = None
        self._refusals = RefusalCounter(time.monotonic)
        self._wake, self._closing = threading.Event(), False
        self._tender = threading.Thread(target=self._tend, name="qguard-audit", daemon=True)

    @classmethod
    def open(
        cls,
        path: Path,
        identity: Identity,
        *,
        key_path: Path | None = None,
        settings: LogSettings | None = None,
        clock: Callable[[], int] = time.time_ns,
        screen: Callable[[str], str] = screen_text,
    ) -> AuditLog:
        """Open the log in the folder *path*, and make it where there is none.

        *identity* is who acts unless an event says otherwise. The key of the checkpoints lies at *key_path*, or beside
        the folder with ``.key`` added to its name. *clock* gives nanoseconds since 1970; *screen* replaces secrets in
        what people typed and in the paths of notebooks.

        Raises
        ------
        AuditUnavailableError
            The folder, the lock or the key cannot be used, or the log was changed behind the guard's back.
        """
        settings = settings or LogSettings()
        folder = AuditFolder(path, create=True)
        writer: ChainWriter | None = None
        try:
            signer = load_or_create_signer(key_path or path.with_name(f"{path.name}.key"))
            publish_key(folder, signer)
            writer = ChainWriter(folder, signer, settings, clock)
            log = cls(folder, writer, identity, settings, clock, screen)
            log._start()
        except BaseException:
            if writer:
                writer.forget()
            folder.close()
            raise
        return log

    def append(self, event: AuditEvent) -> Record:
        """Record *event*; it is on the disk for good when this returns.

        Raises
        ------
        AuditUnavailableError
            It could not be recorded: what needs the record must not happen.
        """
        return self.append_all((event,))[0]

    def append_all(self, events: Sequence[AuditEvent]) -> tuple[Record, ...]:
        """Record *events* in their order, all in one group; as :meth:`append`."""
        now = self._clock()
        prepared = [prepare(event, self._identity, now, self._screen) for event in events]
        with self._gate:
            if self._closing:
                raise AuditUnavailableError(_CLOSED)
            leads = self._gathering is None
            group = self._gathering = self._gathering or _Group()
            start = len(group.waiting)
            group.waiting += prepared
        if leads:
            self._lead(group)
        else:
            group.done.wait()
        if group.error:
            raise AuditUnavailableError(group.error)
        return tuple(group.records[start : start + len(prepared)])

    def note_refusal(self, event: AuditEvent) -> None:
        """Record that something was refused; equal refusals within 10 s become one record with a count.

        Returns at once, before anything is written. Only for refusals: nothing may be permitted on the strength of
        it, and a crash within the 10 s loses the count.

        Raises
        ------
        AuditUnavailableError
            Nothing could be written for so long that no more can wait, or the log is closed.
        """
        if self._closing:
            raise AuditUnavailableError(_CLOSED)
        self._refusals.note(event)
        self._wake.set()

    def checkpoint(self) -> Statement:
        """Sign where the chain stands now; the last statement if that covers all."""
        with self._turn:
            return self._writer.checkpoint()

    def retain(self, days: int) -> int:
        """Remove whole checkpointed segments whose last record is older than *days*; how many were removed."""
        with self._turn:
            return self._writer.retain(days)

    def close(self) -> None:
        """Write what waits and a last checkpoint, and give everything back. A second call does nothing.

        Raises
        ------
        AuditUnavailableError
            Refusals that were noted, or the checkpoint, could not be written.
        """
        with self._gate:
            if self._closing:
                return
        try:
            self._write_refusals(everything=True)
            self.checkpoint()
        finally:
            with self._gate:
                self._closing = True
            self._wake.set()
            if self._tender.is_alive():
                self._tender.join()
            with self._turn:
                self._writer.forget()
                self._folder.close()

    def _start(self) -> None:
        self._writer.resume()
        self._record_mending()
        if self._settings.retention_days is not None:
            self.retain(self._settings.retention_days)
        self._tender.start()

    def _lead(self, group: _Group) -> None:
        """Write *group* as soon as it is its turn. However this ends, an interrupt included, nobody is left waiting."""
        try:
            with self._turn:
                self._end_gathering(group)
                group.records = self._writer.commit(group.waiting)
                self._record_mending()
        except AuditUnavailableError as error:
            group.error = str(error)
        except BaseException as error:
            group.error = f"the audit log was not written: {type(error).__name__}"
            raise
        finally:
            self._end_gathering(group)
            group.done.set()

    def _end_gathering(self, group: _Group) -> None:
        """Nothing joins *group* any more."""
        with self._gate:
            if self._gathering is group:
                self._gathering = None

    def _record_mending(self) -> None:
        """Record that an unfinished record, which a crash of this or another process left, was cut off."""
        torn = self._writer.take_torn()
        if not torn:
            return
        detail = f"an unfinished record of {torn} bytes was cut off; it had never been acknowledged"
        event = AuditEvent(data=GuardFailed(part="audit", code="torn_record", detail=detail))
        try:
            self._writer.commit([prepare(event, self._identity, self._clock(), self._screen)])
        except AuditUnavailableError as error:
            _log.warning("the mending of the audit log was not recorded: %s", error)

    def _write_refusals(self, *, everything: bool = False) -> None:
        due = self._refusals.take_due(everything=everything)
        if not due:
            return
        try:
            self.append_all(due)
        except AuditUnavailableError:
            self._refusals.put_back(due)
            raise

    def _tend(self) -> None:
        """Write refusals and checkpoints in time, until the log is closed."""
        wait = self._settings.checkpoint_seconds
        while not self._closing:
            self._wake.wait(wait)
            self._wake.clear()
            try:
                self._write_refusals()
                if self._writer.checkpoint_due:
                    self.checkpoint()
            except AuditUnavailableError as error:
                if not self._closing:
                    _log.error("the audit log cannot be written: %s", error)
                wait = _RETRY_SECONDS
            else:
                wait = self._until_due()

    def _until_due(self) -> float:
        due = self._refusals.next_due()
        seconds = self._settings.checkpoint_seconds
        return seconds if due is None else min(seconds, max(0.0, due - time.monotonic()))
