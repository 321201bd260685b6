"""The attack suite, without a guard and with it. `python -m tests.attack` prints what each attack said."""

from __future__ import annotations

import pytest

from tests.attack.start import attack

pytestmark = pytest.mark.e2e
_BITES = 450
"""Of about 600: the rest needs what this machine does not have, or a proxy that is more naive still."""


def test_without_a_guard_the_attacks_get_through() -> None:
    run = attack("none")
    through = [each for each in run["results"] if each["outcome"] == "through"]
    assert len(through) >= _BITES
    assert not run["lost"]


def test_in_tier_netns_none_gets_through_and_allowed_traffic_does() -> None:
    run = attack("netns")
    through = {
        each["name"]: each["said"] for each in run["results"] if each["outcome"] == "through" and not each["residual"]
    }
    assert through == {}
    assert set(run["controls"].values()) | set(run["controls_after"].values()) == {"ok"}
    assert not run["lost"]
