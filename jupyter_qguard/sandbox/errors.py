"""Errors of the sandbox."""

from __future__ import annotations

from jupyter_qguard.errors import QGuardError


class MachineError(QGuardError):
    """This machine has no filter program, so that no kernel can be confined on it."""
