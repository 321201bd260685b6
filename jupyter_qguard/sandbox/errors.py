"""Errors of the sandbox."""

from __future__ import annotations

from jupyter_qguard.errors import PolicyError, QGuardError


class MachineError(QGuardError):
    """The machine has no filter program, so that no kernel can be confined on it."""


class FilesError(PolicyError):
    """The files of a kernel cannot be as the policy wants them, or what a kernel needs is missing."""

    code = "files"
