"""What gets past the guard in each tier: said wherever a tier is named, so that no label promises more than it holds."""

from __future__ import annotations

from jupyter_qguard.policy.model import Tier

_ALWAYS = (
    "what a notebook sends to a host that it may talk to",
    "fronting behind a host of the allowlist, at a network that serves several",
    "script in an output, in the user's own browser, beyond the content security policy",
    "terminals that are not closed or guarded, and extensions of the server",
    "other processes of the same user outside of kernels",
    "files of the workspace that somebody runs later",
    "timing and other covert channels",
)
_COOPERATIVE = (
    "programs that do not heed the proxy variables",
    "reading and writing every file of the user",
    "sockets and processes of the user",
)


def not_stopped(tier: Tier | None) -> tuple[str, ...]:
    """What *tier* does not stop; None where no kernel would start."""
    return (*_COOPERATIVE, *_ALWAYS) if tier is Tier.COOPERATIVE else _ALWAYS
