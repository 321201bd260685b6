"""Which tiers may be tried for a kernel. Pure."""

from __future__ import annotations

from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.errors import KernelRefusedError


def tiers_to_try(minimum: Tier, asked: str = "") -> tuple[Tier, ...]:
    """The tiers that may be tried, strongest first; *asked* is the value of ``QGUARD_TIER``.

    Raises
    ------
    KernelRefusedError
        What is asked for is no tier, or weaker than *minimum*.
    """
    if not asked:
        return tuple(tier for tier in sorted(Tier) if tier <= minimum)
    named = {tier.label: tier for tier in Tier}.get(asked.strip().lower())
    if named is None:
        raise KernelRefusedError(f"QGUARD_TIER must be one of {', '.join(tier.label for tier in Tier)}")
    if named > minimum:
        raise KernelRefusedError(
            f"QGUARD_TIER asks for tier {named.label}, and the policy wants {minimum.label} at least"
        )
    return (named,)
