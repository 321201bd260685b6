"""Uploads that come in chunks: held back, out of sight, until the last chunk is there and the whole can be judged.

The chunks lie in a file without a name, in a private folder outside of the served root: it is gone when it is closed,
and when the server dies.
"""

from __future__ import annotations

import datetime as dt
import mmap
import tempfile
import threading
import time
from base64 import encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.binary import is_binary
from jupyter_qguard.server.refusal import NOTHING_LOST, RefusedError
from jupyter_qguard.server.submission import Form, Submission, read_submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST, LAST = 1, -1
"""Chunk numbers with a meaning in the contents API; others count up from the first."""
_OPEN_AT_ONCE = 64
_IDLE = 3600.0
"""Seconds after which an upload counts as given up."""
_PIECE = 6 << 20
"""Bytes of one chunk when a large file is handed on."""


@dataclass(slots=True)
class Upload:
    """One upload: what came so far."""

    path: str
    file: IO[bytes]
    next: int
    size: int
    touched: float
    form: Form = Form.BASE64
    """TEXT as soon as one of its chunks is."""

    @property
    def is_binary(self) -> bool:
        """Whether the content is no text and no notebook. Reads parts of it only."""
        if self.form is Form.TEXT or self.path.lower().endswith(".ipynb") or not self.size:
            return False
        self.file.flush()
        with mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return is_binary(data)

    def submission(self) -> Submission:
        """All of it, in memory."""
        self.file.seek(0)
        return Submission(self.path, self.form, data=self.file.read())

    def models(self, *, in_chunks: bool) -> Iterator[dict[str, Any]]:
        """The upload as contents models."""
        self.file.seek(0)
        return file_models(self.file, self.size, in_chunks=in_chunks)

    def close(self) -> None:
        """Forget it."""
        self.file.close()


class UploadSpool:
    """All uploads that are not complete yet. Safe for several threads."""

    def __init__(self, folder: Path, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep at most *limit* bytes in *folder*, which is made if it is not there."""
        self._folder = folder
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, Upload] = {}

    def accept(self, model: Mapping[str, Any], path: str) -> Upload | None:
        """Take one chunk. Returns the upload when this was its last one; the caller closes it.

        Raises
        ------
        RefusedError
            The chunk cannot be taken; what came before of this upload is forgotten.
        """
        path = path.strip("/")
        try:
            return self._accept(model, path)
        except InputError as error:
            self._forget(path)
            text = f"The chunk of {path} was not taken: {error}. {NOTHING_LOST}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, text) from None

    def close(self) -> None:
        """Forget all uploads."""
        with self._lock:
            for upload in self._open.values():
                upload.close()
            self._open.clear()

    def _accept(self, model: Mapping[str, Any], path: str) -> Upload | None:
        chunk = _chunk_number(model)
        submission = read_submission(model, path)
        if model.get("type") != "file" or submission is None or model.get("format") not in ("text", "base64"):
            message = "only files are uploaded in chunks, as text or base64"
            raise InputError(message)
        data = submission.data or b""
        with self._lock:
            self._expire()
            upload = self._begin(path) if chunk == FIRST else self._go_on(path, chunk)
            if sum(each.size for each in self._open.values()) + len(data) > self._limit:
                message = f"uploads together may have {self._limit >> 20} MB (QGuardApp.upload_limit)"
                raise InputError(message)
            upload.file.write(data)
            upload.size += len(data)
            upload.next += 1
            upload.touched = self._clock()
            if submission.form is Form.TEXT:
                upload.form = Form.TEXT
            return self._open.pop(path) if chunk == LAST else None

    def _begin(self, path: str) -> Upload:
        previous = self._open.pop(path, None)
        if previous is not None:
            previous.close()
        if len(self._open) >= _OPEN_AT_ONCE:
            message = f"{_OPEN_AT_ONCE} uploads are open already"
            raise InputError(message)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with the upload
        upload = self._open[path] = Upload(path, file, FIRST, 0, self._clock())
        return upload

    def _go_on(self, path: str, chunk: int) -> Upload:
        upload = self._open.get(path)
        if upload is None:
            message = "no upload of this file has begun, or it was given up"
            raise InputError(message)
        if chunk not in (upload.next, LAST):
            message = f"chunk {chunk} came where chunk {upload.next} was due"
            raise InputError(message)
        return upload

    def _expire(self) -> None:
        now = self._clock()
        for path in [path for path, upload in self._open.items() if now - upload.touched > _IDLE]:
            self._open.pop(path).close()

    def _forget(self, path: str) -> None:
        with self._lock:
            upload = self._open.pop(path, None)
        if upload is not None:
            upload.close()


def file_models(file: IO[bytes], size: int, *, in_chunks: bool) -> Iterator[dict[str, Any]]:
    """Contents models that together write *size* bytes of *file*: one, or chunks where it is large and *in_chunks*."""
    if not in_chunks or size <= _PIECE:
        yield _model(file.read())
        return
    last = (size - 1) // _PIECE
    for number in range(last + 1):
        yield {**_model(file.read(_PIECE)), "chunk": LAST if number == last else FIRST + number}


def _model(data: bytes) -> dict[str, Any]:
    return {"type": "file", "format": "base64", "content": encodebytes(data).decode("ascii")}


def pending_model(path: str) -> dict[str, Any]:
    """The answer to a chunk that is not the last: the file is not there yet, but clients expect a model."""
    now = dt.datetime.now(dt.timezone.utc)
    path = path.strip("/")
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "type": "file",
        "writable": True,
        "created": now,
        "last_modified": now,
        "mimetype": None,
        "content": None,
        "format": None,
        "size": None,
    }


def _chunk_number(model: Mapping[str, Any]) -> int:
    chunk = model.get("chunk")
    if isinstance(chunk, bool) or not isinstance(chunk, int) or (chunk < FIRST and chunk != LAST):
        message = "a chunk's number must be -1 or count from 1"
        raise InputError(message)
    return chunk
