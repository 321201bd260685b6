"""Kernels that the guard does not start: the reason reaches whoever asked, also where Jupyter would keep it to itself.

Sessions, by which JupyterLab starts kernels, pass it on by themselves. The interface for kernels alone answers "Unhandled
error", and a restart "Exception restarting kernel".
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.handlers import KernelActionHandler, MainKernelHandler, default_handlers
from tornado import web

from jupyter_qguard.errors import QGuardError


class _Reasons:
    """Answers with the guard's reason in the place of none."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """As :class:`~jupyter_server.base.handlers.APIHandler` has it."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        ours = next(
            (each for each in (error, getattr(error, "__cause__", None)) if isinstance(each, QGuardError)), None
        )
        if ours is not None:
            told = web.HTTPError(status_code, str(ours))
            kwargs["exc_info"] = (web.HTTPError, told, None)
        super().write_error(status_code, **kwargs)  # type: ignore[misc]


class _Starting(_Reasons, MainKernelHandler):
    """``POST /api/kernels``."""


class _Restarting(_Reasons, KernelActionHandler):
    """``POST /api/kernels/ID/restart``."""


_OURS: dict[type, type] = {MainKernelHandler: _Starting, KernelActionHandler: _Restarting}


def reasoned_handlers() -> list[tuple[str, type]]:
    """Routes to be put in front of the server's own."""
    return [(route, _OURS[handler]) for route, handler in default_handlers if handler in _OURS]
