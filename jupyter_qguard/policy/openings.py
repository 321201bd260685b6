"""What gets past the guard in each tier: said wherever a tier is named, so that no label promises more than it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_qguard.policy.model import Tier

if TYPE_CHECKING:
    from collections.abc import Collection

LANDLOCKED = "files_and_processes"
"""The check of tier *platform* that is there with Landlock only."""
SCOPED = "signals"
"""The one that is there since Linux 6.12."""
_ALWAYS = (
    "what a notebook sends to a host that it may talk to",
    "fronting behind a host of the allowlist, at a network that serves several",
    "script in an output, in the user's own browser, beyond the content security policy",
    "terminals that are not closed or guarded, and extensions of the server",
    "other processes of the same user outside of kernels",
    "files of the workspace that somebody runs later",
    "timing and other covert channels",
)
_PLATFORM = (
    "hosts that the platform's proxy lets whoever asks through to, past the gateway's decisions and its trail",
    "addresses within reach of the pod at which no canary knocks",
    "reading every file of the user, credentials and the guard's own among them",
    "services of the pod on loopback and at sockets with a path: other kernels, a name service that asks on, agents",
    "the Jupyter server's interface, by its token in a file",
    "programs and packages below `/tmp`, `/run` and `/dev/shm`",
    "shared memory, queues, limits and command lines of the user's other processes",
    "what lies in the workspace: `.git`, environments, settings of editors",
)
_WITHOUT_LANDLOCK = "writing every file of the user, and the user's other processes, where Linux has no Landlock"
_WITHOUT_SCOPES = "ending the user's other processes, and abstract sockets of the pod, where Linux is older than 6.12"
_COOPERATIVE = (
    "programs that do not heed the proxy variables",
    "reading and writing every file of the user",
    "sockets and processes of the user",
)


def not_stopped(tier: Tier | None, enforced: Collection[str] = ()) -> tuple[str, ...]:
    """What *tier* does not stop where *enforced* was proved at the start; None where no kernel would start."""
    if tier is Tier.COOPERATIVE:
        return (*_COOPERATIVE, *_ALWAYS)
    if tier is Tier.PLATFORM:
        lacking = {LANDLOCKED: _WITHOUT_LANDLOCK, SCOPED: _WITHOUT_SCOPES}
        return (*_PLATFORM, *(text for check, text in lacking.items() if check not in enforced), *_ALWAYS)
    return _ALWAYS
