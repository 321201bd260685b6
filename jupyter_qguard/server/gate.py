"""Between a contents manager and the guard: reads models, asks, and turns every refusal into an HTTP error.

A contents manager lets a save through when a hook raises anything but ``HTTPError``; so nothing else leaves here.
"""

from __future__ import annotations

import asyncio
import io
import os
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tornado import web

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.binary import LARGEST_BINARY
from jupyter_qguard.server import refusal
from jupyter_qguard.server.late import Pending
from jupyter_qguard.server.passage import Passage, passage_of, passing
from jupyter_qguard.server.prepared import is_unchanged
from jupyter_qguard.server.refusal import RefusedError, WritePath
from jupyter_qguard.server.signature import is_left_as, signature_of
from jupyter_qguard.server.submission import Form, Submission, read_submission
from jupyter_qguard.server.uploads import file_models

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from jupyter_qguard.policy import LoadedPolicy
    from jupyter_qguard.server.guard import Clearance, SaveGuard
    from jupyter_qguard.server.prepared import Prepared
    from jupyter_qguard.server.signature import Signature
    from jupyter_qguard.server.uploads import Upload, UploadSpool

P = ParamSpec("P")
R = TypeVar("R")
_WRITES_REMEMBERED = 2000
_CHANGED = "it was changed while it was checked: save it again"
_UNWRITABLE = (TypeError, ValueError, LookupError, AttributeError, AssertionError, ImportError, RecursionError)
"""What nbformat raises on notebooks that it cannot make sense of. Errors of the disk or a database are none of these."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A save that was read but not decided."""

    model: dict[str, Any]
    path: str
    submission: Submission | None
    """None where nothing is written that could hold text."""
    prepared: Prepared | None

    @property
    def size(self) -> int:
        """Bytes of a notebook; 0 of anything that a contents manager would not write as one."""
        notebook = self.submission is not None and self.submission.document is not None
        return self.prepared.size if notebook and self.prepared and self.model.get("type") == "notebook" else 0


class Gate:
    """What a guarded contents manager calls. Blocking methods are for threads; :meth:`run` calls them from the loop."""

    def __init__(self, guard: SaveGuard, uploads: UploadSpool, threads: Executor) -> None:
        """Use *threads* for everything that takes time."""
        self.guard = guard
        self.uploads = uploads
        self._threads = threads
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._written: OrderedDict[str, tuple[Signature, LoadedPolicy]] = OrderedDict()

    @contextmanager
    def refusing(self, path: str, way: WritePath) -> Iterator[None]:
        """Whatever is raised inside becomes an HTTP error."""
        try:
            yield
        except RefusedError as error:
            raise web.HTTPError(error.status, error.message) from None
        except web.HTTPError:
            raise
        except Exception as error:  # noqa: BLE001 - the law of this module
            failed = self.guard.failed(path.strip("/"), way, error)
            raise web.HTTPError(failed.status, failed.message) from None

    @contextmanager
    def writing(self, passage: Passage) -> Iterator[None]:
        """While the contents manager writes what was cleared. It answers 500 to a notebook that it cannot write."""
        try:
            with passing(passage):
                yield
        except web.HTTPError as error:
            broken = isinstance(passage.content, Mapping) and isinstance(error.__cause__, _UNWRITABLE)
            if not broken or error.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            reason = f"malformed notebook: Jupyter cannot write it ({type(error.__cause__).__name__})"
            refused = self.guard.unreadable(passage.path, WritePath.SAVE, reason)
            raise web.HTTPError(refused.status, refused.message) from None

    @asynccontextmanager
    async def turn(self, path: str) -> AsyncIterator[None]:
        """Writes of one path one after the other: a scan that takes long must not let an older save win."""
        if passage_of(path) is not None:  # a write inside of a write has the turn already
            yield
            return
        lock = self._turns.setdefault(path.strip("/"), asyncio.Lock())
        async with lock:
            yield

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call something that blocks, from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(*args, **kwargs))

    def take(self, model: Any, path: str) -> Taken:
        """Read and encode what is to be saved. Raises RefusedError, and what judging its name raises."""
        self.guard.admit_name(path, WritePath.SAVE)
        try:
            submission = read_submission(model, path)
            prepared = self.guard.prepared(submission) if submission is not None and not submission.is_blank else None
        except InputError as error:
            raise self.guard.unreadable(path.strip("/"), WritePath.SAVE, str(error)) from None
        return Taken(dict(model), path.strip("/"), submission, prepared)

    def decide(self, taken: Taken) -> tuple[dict[str, Any], Passage]:
        """Decide about a save. Returns the model to hand on, and its passage. Raises RefusedError."""
        model, submission = taken.model, taken.submission
        if submission is None:
            return model, Passage(taken.path, model.get("content"), None)
        clearance = self.guard.clear(submission, WritePath.SAVE, taken.prepared)
        content = clearance.submission.content()
        prepared = None if clearance.redacted or submission.document is None else taken.prepared
        return {**model, "content": content}, Passage(submission.path, content, clearance, prepared=prepared)

    def admit(self, model: Any, path: str) -> tuple[dict[str, Any], Passage]:
        """Read, encode, decide. Raises RefusedError."""
        return self.decide(self.take(model, path))

    @property
    def is_idle(self) -> bool:
        """Whether a document would be scanned at once. While it waits, nothing else should wait for it."""
        return self.guard.pool.is_idle

    def begin_to_decide(self, taken: Taken) -> Pending:
        """As :meth:`decide`, in a thread."""
        decision, prepared = self._threads.submit(self.decide, taken), taken.prepared
        if prepared is not None:
            decision.add_done_callback(lambda _: prepared.tell_sent())
        return Pending(decision)

    def admit_stored(self, data: bytes, path: str, way: WritePath) -> Clearance:
        """Decide about bytes that lie on the disk already and are to be written once more. Raises RefusedError."""
        return self.guard.clear(Submission(path.strip("/"), Form.BASE64, data=data), way)

    def admit_fetched(self, model: Any, path: str) -> None:
        """Decide about a checkpoint of what a manager without files has there. Raises RefusedError."""
        if passage_of(path) is not None:
            return  # the first checkpoint of a save that is going on
        submission = read_submission(model, path)
        if submission is not None and self.guard.clear(submission, WritePath.CHECKPOINT).redacted:
            raise refusal.must_be_saved_first(path, WritePath.CHECKPOINT)

    def accept_chunk(self, model: Mapping[str, Any], path: str) -> Upload | None:
        """Take one chunk. Returns the upload when it is complete. Raises RefusedError."""
        self.guard.admit_name(path, WritePath.UPLOAD)
        return self.uploads.accept(model, path)

    def admit_upload(self, upload: Upload, *, in_chunks: bool) -> tuple[Iterator[dict[str, Any]], Clearance | None]:
        """Decide about a complete upload. Returns the models to hand on, one if not *in_chunks*. Raises RefusedError."""
        limit = self.guard.scan_limit
        if upload.size > min(LARGEST_BINARY, limit) and upload.is_binary:
            return upload.models(in_chunks=in_chunks), None
        if upload.size > limit:
            raise refusal.too_large(upload.path, WritePath.UPLOAD, upload.size, limit)
        clearance = self.guard.clear(upload.submission(), WritePath.UPLOAD)
        data = clearance.submission.data or b""
        return file_models(io.BytesIO(data), len(data), in_chunks=in_chunks), clearance

    def admit_folder(self, folder: Path, path: str) -> None:
        """Decide about the copy of a folder, file by file. Raises RefusedError at the first that must not be copied."""
        for place, folders, names in os.walk(folder):
            for name in sorted((*folders, *names)):
                file = Path(place, name)
                where = f"{path.strip('/')}/{file.relative_to(folder).as_posix()}"
                self.guard.admit_name(where, WritePath.COPY)
                if file.is_file():
                    self._admit_file(file, where)

    def last_look(self, model: Any, path: str, *, others: bool) -> None:
        """The last pre-save hook: only what was cleared goes on. *others*: whether hooks of others ran.

        Raises
        ------
        RefusedError
            The content is another than was cleared, and must not be written.
        """
        passage, path = passage_of(path), path.strip("/")
        if passage is not None and model.get("content") is passage.content:
            late = passage.pending is not None  # then the manager's copy is compared
            kept = late or passage.prepared is None or is_unchanged(passage.content, passage.prepared)
            if kept and (not others or not passage.whole or passage.prepared is not None):
                return
            if not others:
                raise self.guard.unreadable(path, WritePath.SAVE, _CHANGED)
        elif passage is not None and not passage.whole:
            raise self.guard.unreadable(path, WritePath.UPLOAD, "a save hook changed one chunk of an upload")
        try:
            submission = read_submission(model, path)
        except InputError as error:
            raise self.guard.unreadable(path, WritePath.SAVE, str(error)) from None
        cleared = passage.clearance.submission if passage and passage.clearance else None
        if submission is None or (submission.data is not None and submission == cleared):
            return
        clearance = self.guard.clear(submission, WritePath.SAVE)
        if clearance.redacted:
            model["content"] = clearance.submission.content()

    def compare(self, copy: Mapping[str, Any], path: str) -> None:
        """Look at the copy that a contents manager has made of a notebook, which is what it will write. Where the scan
        has not ended, whoever handed the notebook over could have changed it until now.

        Raises
        ------
        RefusedError
            It is not what is scanned.
        """
        passage = passage_of(path)
        if passage is None or passage.pending is None or passage.prepared is None:
            return
        if not is_unchanged(copy, passage.prepared):
            raise self.guard.unreadable(passage.path, WritePath.SAVE, _CHANGED)
        passage.is_compared = True

    def remember(self, passage: Passage, file: str | None) -> None:
        """A cleared write into *file* is done. Only clean content spares the next look, while it counts as clean."""
        clearance, left = passage.clearance, passage.left
        self._written.pop(passage.path, None)
        signature = signature_of(file) if file is not None and clearance is not None else None
        if signature is not None and clearance is not None and left is not None and is_left_as(signature, left):
            self.guard.classes.written(clearance.submission, signature)
            if clearance.clean and clearance.under is not None:
                self._written[passage.path] = signature, clearance.under
        while len(self._written) > _WRITES_REMEMBERED:
            self._written.popitem(last=False)

    def is_as_written(self, path: str, file: str) -> bool:
        """Whether *file* is what a cleared write left there, or is being written by one now."""
        if passage_of(path) is not None:
            return True
        known = self._written.get(path.strip("/"))
        return known is not None and known[0] == signature_of(file) and known[1] is self.guard.policy.current()

    def _admit_file(self, file: Path, path: str) -> None:
        clearance = self.admit_stored(file.read_bytes(), path, WritePath.COPY)
        if clearance.redacted:
            raise refusal.must_be_saved_first(path, WritePath.COPY)


def told(saved: Any, clearance: Clearance | None) -> Any:
    """The model of a saved file with what the client is told about the save."""
    decision = clearance.decision if clearance else None
    if decision is None or clearance is None or not isinstance(saved, Mapping):
        return saved
    words = [saved.get("message"), clearance.message]
    notice = {"id": decision.id, "outcome": decision.outcome.value, "count": decision.count}
    return {**saved, "message": "\n".join(word for word in words if word), "qguard": notice}
