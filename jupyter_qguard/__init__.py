"""Keeps the secrets of quantum work out of notebooks: on every save, in every export, and out of the kernel."""

from __future__ import annotations

from jupyter_qguard._version import __version__

__all__ = ["__version__"]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Called by jupyter_server to find the extension. Imports it only then: the command line needs none of it."""
    from jupyter_qguard.server.app import QGuardApp  # noqa: PLC0415

    return [{"module": "jupyter_qguard", "app": QGuardApp}]
