"""The REST interface under ``/qguard/api/v1/``. Every answer holds masked previews at most."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from jupyter_qguard.errors import AuditUnavailableError, InputError
from jupyter_qguard.scan.notebook import check_notebook
from jupyter_qguard.server.bodies import OverrideBody, ScanBody
from jupyter_qguard.server.proof import ProofError
from jupyter_qguard.server.shown import shown
from jupyter_qguard.server.submission import Form, Submission

if TYPE_CHECKING:
    from jupyter_qguard.server.service import GuardService

B = TypeVar("B")
_BASE = r"/qguard/api/v1"


class QGuardHandler(APIHandler):
    """Base of all: signed in, allowed, protected against cross-site requests as Jupyter's own interfaces are."""

    auth_resource = "qguard"

    def initialize(self, service: GuardService) -> None:
        """*service*: what the handlers speak for."""
        self.service = service

    def body(self, kind: type[B]) -> B:
        """The request's body. Raises an HTTP error that names what is wrong."""
        try:
            return msgspec.json.decode(self.request.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = str(error)
            if "unknown field" in text:
                # It would quote the key, and whoever mixes up keys and values sends a secret as one.
                text = f"a key is unknown; allowed are {', '.join(getattr(kind, '__struct_fields__', ()))}"
            # Otherwise the text names our own keys and types, and never quotes a value.
            raise web.HTTPError(HTTPStatus.BAD_REQUEST, f"the body is not as it must be: {text}") from None

    def reply(self, answer: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        """Answer with JSON that no cache keeps."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(answer))


class StatusHandler(QGuardHandler):
    """``GET status``: is the guard there, what does it enforce, what troubles it."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer."""
        self.reply(await self.service.run(self.service.status))


class EgressHandler(QGuardHandler):
    """``GET egress``: how connections of kernels are judged, and what was refused to each lately."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer."""
        self.reply(await self.service.run(self.service.egress))


class PolicyHandler(QGuardHandler):
    """``GET policy``: what of the policy concerns whoever saves."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer."""
        self.reply(await self.service.run(self.service.policy))


class FindingsHandler(QGuardHandler):
    """``GET findings/{id}``: what a decision was about."""

    @web.authenticated
    @authorized
    async def get(self, identifier: str) -> None:
        """Answer."""
        decision = self.service.guard.decisions.get(identifier)
        if decision is None:
            raise web.HTTPError(HTTPStatus.NOT_FOUND, "no such decision, or it is too long ago")
        self.reply(
            {
                "id": decision.id,
                "path": decision.path,
                "outcome": decision.outcome.value,
                "reason": decision.reason,
                "count": decision.count,
                "findings": [shown(finding) for finding in decision.findings],
                "override": self.service.override_terms(decision),
            }
        )


class OverridesHandler(QGuardHandler):
    """``POST overrides``: let the findings of one refused write through, for a reason that is recorded."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer, once the record is durable."""
        body = self.body(OverrideBody)
        try:
            seconds = await self.service.run(self.service.override, body, self.proof_checker())
        except (ProofError, InputError) as error:
            status = HTTPStatus.FORBIDDEN if isinstance(error, ProofError) else HTTPStatus.CONFLICT
            raise web.HTTPError(status, str(error)) from None
        except AuditUnavailableError:
            text = "The override was refused: it could not be recorded. Your work is still in the editor."
            raise web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, text) from None
        self.reply({"id": body.id, "seconds": int(seconds)}, HTTPStatus.CREATED)

    def proof_checker(self) -> Any:
        """What knows the server's token and password."""
        return self.identity_provider


class ScanHandler(QGuardHandler):
    """``POST scan``: what would be found in this content. Nothing is decided or recorded."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer."""
        body = self.body(ScanBody)
        try:
            answer = await self.service.run(self.service.scan, _submission(body))
        except InputError as error:
            raise web.HTTPError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        self.reply(answer)


def handlers(service: GuardService) -> list[tuple[str, type[QGuardHandler], dict[str, Any]]]:
    """The routes, below the server's base URL."""
    routes: list[tuple[str, type[QGuardHandler]]] = [
        (rf"{_BASE}/status", StatusHandler),
        (rf"{_BASE}/egress", EgressHandler),
        (rf"{_BASE}/policy", PolicyHandler),
        (rf"{_BASE}/findings/([0-9a-f]{{16}})", FindingsHandler),
        (rf"{_BASE}/overrides", OverridesHandler),
        (rf"{_BASE}/scan", ScanHandler),
    ]
    return [(route, handler, {"service": service}) for route, handler in routes]


def _submission(body: ScanBody) -> Submission:
    path = body.path.strip("/")
    if body.type == "notebook":
        check_notebook(body.content)
        if isinstance(body.content, dict):
            return Submission(path or "untitled.ipynb", Form.NOTEBOOK, document=body.content)
    if not isinstance(body.content, str):
        message = "the content of a text must be a string"
        raise InputError(message)
    return Submission(path or "untitled.txt", Form.TEXT, data=body.content.encode("utf-8", "surrogatepass"))
