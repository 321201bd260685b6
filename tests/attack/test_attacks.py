"""The attack suite, without a guard and with it. `python -m tests.attack` prints what each attack said."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.attack.start import attack
from tests.sandbox.pod import landlock

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


PAST_THE_PROXY = {"sockets", "families", "syscalls", "rings", "descriptors", "metadata"}
"""Groups of attacks that tier *platform* must hold whatever lies where."""


def no_pods() -> str:
    """Why there can be no network of a pod."""
    if os.geteuid() != 0 or landlock() < 1:
        return "a pod's network needs root, and tier platform Landlock"
    tried = ["unshare", "--net", "ip", "link", "add", "one", "type", "veth", "peer", "name", "two"]
    made = shutil.which("ip") and subprocess.run(tried, check=False, capture_output=True).returncode == 0
    return "" if made else "there is no `ip` that makes a pair of network devices"


@pytest.mark.skipif(bool(no_pods()), reason=no_pods())
def test_in_tier_platform_nothing_gets_past_the_proxy() -> None:
    run = attack("platform")
    through = {each["name"]: each["said"] for each in run["results"] if each["outcome"] == "through"}
    assert not {name: said for name, said in through.items() if name.partition(".")[0] in PAST_THE_PROXY}
    # By a socket with a path a name service of the pod is reached, as `not_stopped` says.
    assert {name for name in through if name.startswith("names.")} <= {"names.getent", "names.varlink"}
    assert not run["lost"]
