"""Which tiers may be tried for a kernel. Pure."""

from __future__ import annotations

from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.errors import KernelRefusedError

_THERE = (Tier.NETNS, Tier.COOPERATIVE)


def tiers_to_try(minimum: Tier, asked: str = "") -> tuple[Tier, ...]:
    """The tiers that may be tried, strongest first; *asked* is the value of ``QGUARD_TIER``.

    Raises
    ------
    KernelRefusedError
        What is asked for is no tier, weaker than *minimum*, or not there.
    """
    if not asked:
        return tuple(tier for tier in _THERE if tier <= minimum)
    named = {tier.label: tier for tier in Tier}.get(asked.strip().lower())
    if named is None:
        raise KernelRefusedError(f"QGUARD_TIER must be one of {', '.join(tier.label for tier in Tier)}")
    if named > minimum:
        raise KernelRefusedError(
            f"QGUARD_TIER asks for tier {named.label}, and the policy wants {minimum.label} at least"
        )
    if named not in _THERE:
        raise KernelRefusedError(f"tier {named.label} is not there yet: take netns")
    return (named,)
