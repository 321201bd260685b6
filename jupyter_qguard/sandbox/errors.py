"""Errors of the sandbox."""

from __future__ import annotations

from jupyter_qguard.errors import GuardFailureError, OutsideError, PolicyError, QGuardError


class MachineError(QGuardError):
    """The machine has no filter program, so that no kernel can be confined on it."""


class FilesError(PolicyError):
    """The files of a kernel cannot be as the policy wants them, or what a kernel needs is missing."""

    code = "files"


class SandboxUnavailableError(OutsideError):
    """What a tier needs is not to be had on this machine. A weaker tier may be taken where the policy allows it."""

    code = "sandbox_unavailable"


class CanaryError(GuardFailureError):
    """Something that must be refused inside of the sandbox was not, so the kernel was not executed."""

    code = "canary"


class ReplacedError(CanaryError):
    """What was to be mounted was replaced meanwhile: by git, by another program, or by a kernel that tries to get out."""


class KernelRefusedError(QGuardError):
    """The policy does not let this kernel start."""

    code = "kernel_refused"


class GatewayError(GuardFailureError):
    """The gateway is away, or did not do what it was asked."""

    code = "gateway"
