"""Which tiers may be tried."""

from __future__ import annotations

import pytest

from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.errors import KernelRefusedError
from jupyter_qguard.sandbox.tiers import tiers_to_try


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        (Tier.NETNS, [Tier.NETNS]),
        (Tier.PLATFORM, [Tier.NETNS, Tier.PLATFORM]),
        (Tier.COOPERATIVE, [Tier.NETNS, Tier.PLATFORM, Tier.COOPERATIVE]),
    ],
)
def test_the_strongest_comes_first_and_none_is_below_the_minimum(minimum, expected):
    assert list(tiers_to_try(minimum)) == expected


@pytest.mark.parametrize("minimum", Tier)
@pytest.mark.parametrize("asked", ["netns", "platform", "cooperative", "NETNS", "other", " "])
def test_what_is_asked_for_is_tried_alone_or_refused(minimum, asked):
    try:
        tiers = tiers_to_try(minimum, asked)
    except KernelRefusedError:
        assert asked.lower() not in {tier.label for tier in Tier if tier <= minimum}
    else:
        assert [tier.label for tier in tiers] == [asked.lower()]
        assert tiers[0] <= minimum
