"""An authorizer that lets nobody act on what the guard serves."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.authorizer import Authorizer


class NobodyAtTheGuard(Authorizer):
    """All else is allowed."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # noqa: ARG002
        return resource != "qguard"
