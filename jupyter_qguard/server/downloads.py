"""Serves ``/files``: text and notebooks come out redacted, binary files as they are or, with a secret in them, not at all.

What is sent is what was scanned: text is read once, and answered from memory. A download of a notebook in JupyterLab
takes this way too.
"""

from __future__ import annotations

import hashlib
import mimetypes
import mmap
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from tornado import httputil, web

from jupyter_qguard.errors import InputError
from jupyter_qguard.scan.binary import LARGEST_BINARY, is_binary
from jupyter_qguard.server import stored
from jupyter_qguard.server.export import leaving
from jupyter_qguard.server.submission import Form, Submission, read_submission

if TYPE_CHECKING:
    from jupyter_qguard.server.gate import Gate
    from jupyter_qguard.server.pool_scan import PoolScan


@dataclass(frozen=True, slots=True)
class Checked:
    """A text file fit to leave."""

    data: bytes
    redacted: int
    """How many findings were replaced."""


class Downloads:
    """Decides what of a file may leave. Blocks; for threads."""

    def __init__(self, gate: Gate, scan: PoolScan) -> None:
        """Use the workers behind *scan* and the policy of *gate*'s guard."""
        self._gate = gate
        self._scan = scan

    def check_file(self, file: Path, name: str) -> Checked | None:
        """Read and check a file. None for what is no text, and may be sent as it is, and for what is no file."""
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            if file.stat().st_size > LARGEST_BINARY and not name.lower().endswith(".ipynb"):
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                    if is_binary(mapped):
                        return None
            return self.check(stream.read(), name)

    def check(self, data: bytes, name: str) -> Checked | None:
        """Check the bytes of a file. None for what is binary and clean.

        Raises
        ------
        web.HTTPError
            It is binary and holds a secret.
        GuardFailureError, InputError
            It cannot be checked.
        """
        policy = self._gate.guard.policy.current().policy
        try:
            findings = leaving(policy, self._scan.scan_file(data, name))
        except InputError:
            if not name.lower().endswith(".ipynb"):
                raise
            # A broken notebook is still text: somebody may want it back to repair it.
            name = f"{name}.txt"
            findings = leaving(policy, self._scan.scan_file(data, name))
        if Submission(name, Form.BASE64, data=data).is_binary:
            if not findings:
                return None
            text = f"{name} is a binary file with a secret in the clear ({findings[0].rule_id}), so it is not sent."
            raise web.HTTPError(HTTPStatus.FORBIDDEN, text)
        if not findings:
            return Checked(data, 0)
        return Checked(self._scan.redact_file(data, name, findings), len(findings))


class GuardedFiles:
    """The methods of a guarded ``/files`` handler. Mixed in before the handler class of the contents manager."""

    qguard_gate: Gate
    qguard_downloads: Downloads

    @web.authenticated
    @authorized(resource="contents")  # type: ignore[untyped-decorator]
    async def head(self: Any, path: str) -> None:
        """The headers that GET would send."""
        await self._qguard_serve(path, include_body=False)

    @web.authenticated
    @authorized(resource="contents")  # type: ignore[untyped-decorator]
    async def get(self: Any, path: str, include_body: bool = True) -> None:  # noqa: FBT001, FBT002 - tornado's signature
        """The file, redacted if it is text."""
        await self._qguard_serve(path, include_body=include_body)

    async def _qguard_serve(self: Any, path: str, *, include_body: bool) -> None:
        self.check_xsrf_cookie()
        checked = await self._qguard_check(path)
        if checked is None:
            await ensure_async(super().get(path, include_body=include_body))  # type: ignore[misc]
            return
        name = path.rsplit("/", 1)[-1]
        if name.endswith(".ipynb") or self.get_argument("download", None):
            self.set_attachment_header(name)
        self.set_header("Content-Type", _content_type(name))
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Accept-Ranges", "bytes")
        if checked.redacted:
            self.set_header("X-QGuard-Redacted", str(checked.redacted))
        # Of the redacted text: a part of one version must never be joined to a part of another.
        self.set_header("Etag", f'"{hashlib.sha256(checked.data).hexdigest()}"')
        if self.check_etag_header():
            self.set_status(HTTPStatus.NOT_MODIFIED)
            return
        self._qguard_send(checked.data, include_body=include_body)

    async def _qguard_check(self: Any, path: str) -> Checked | None:
        """None where the handler's own class is to answer: no text, no such file, hidden, a folder."""
        manager, path = self.contents_manager, path.strip("/")
        if not manager.allow_hidden and await ensure_async(manager.is_hidden(path)):
            raise web.HTTPError(HTTPStatus.NOT_FOUND)
        name = path.rsplit("/", 1)[-1]
        file = stored.file_of(manager, path)
        try:
            if file is not None:
                checked: Checked | None = await self.qguard_gate.run(self.qguard_downloads.check_file, Path(file), name)
                return checked
            model = await ensure_async(manager.get(path, type="file", content=True))
            submission = read_submission(model, path)
            return (
                await self.qguard_gate.run(self.qguard_downloads.check, submission.data or b"", name)
                if submission
                else None
            )
        except (web.HTTPError, PermissionError):
            raise
        except Exception as error:  # noqa: BLE001 - what cannot be checked is not sent, whatever the reason
            self.log.error("A download was refused: it could not be checked (%s)", type(error).__name__)  # noqa: TRY400
            text = f"{name} could not be checked for secrets, so it is not sent."
            raise web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, text) from None

    def _qguard_send(self: Any, data: bytes, *, include_body: bool) -> None:
        # Tornado's own functions, as in the handler this stands before: what they think of a range is what clients know.
        wanted = httputil._parse_request_range(self.request.headers.get("Range", ""))  # noqa: SLF001
        size = len(data)
        if wanted is not None:
            start, end = wanted
            if (start is not None and start >= size) or end == 0:
                self.set_status(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.set_header("Content-Range", f"bytes */{size}")
                return
            start = max(0, size + start) if start is not None and start < 0 else start or 0
            end = min(size, end if end is not None else size)
            if (start, end) != (0, size):
                self.set_status(HTTPStatus.PARTIAL_CONTENT)
                self.set_header("Content-Range", httputil._get_content_range(start, end, size))  # noqa: SLF001
                data = data[start:end]
        self.set_header("Content-Length", len(data))
        if include_body:
            self.write(data)


def guarded_files_handler(base: type, gate: Gate, downloads: Downloads) -> type:
    """A subclass of the contents manager's own handler for ``/files``."""
    return type(base.__name__, (GuardedFiles, base), {"qguard_gate": gate, "qguard_downloads": downloads})


def _content_type(name: str) -> str:
    if name.lower().endswith(".ipynb"):
        return "application/x-ipynb+json"
    kind, encoding = mimetypes.guess_type(name)
    if encoding is not None:
        return "application/octet-stream"
    if kind is None or kind == "text/plain":
        return "text/plain; charset=UTF-8"
    return kind
