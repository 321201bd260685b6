"""What is missing on a machine is named, with what to do."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.sandbox.requirements import Machine, Trial, missing, requirements
from jupyter_qguard.sandbox.seccomp import MACHINES

WHOLE = Machine(
    system="Linux",
    release="6.8.0-50-generic",
    processor="x86_64",
    filters=True,
    bwrap="/usr/bin/bwrap",
    bwrap_version=(0, 9, 0),
    sysctls={"user.max_user_namespaces": 96365, "user.max_net_namespaces": 96365},
    installer="apt-get",
    trial=Trial("", ""),
)
RESTRICTED = {"kernel.apparmor_restrict_unprivileged_userns": 1}
CASES = {
    "linux": ({"release": "4.9.0-13-amd64", "trial": Trial("namespaces", "?")}, "linux", "4.18 or newer"),
    "processor": ({"processor": "riscv64", "trial": Trial("processor", "")}, "processor", "aarch64"),
    "filters": ({"filters": False, "trial": Trial("mounts", "x")}, "system_call_filter", "CONFIG_SECCOMP_FILTER"),
    "no bubblewrap": ({"bwrap": "", "trial": Trial("bubblewrap", "")}, "bubblewrap", "package `bubblewrap`"),
    "old bubblewrap": (
        {"bwrap_version": (0, 4, 1), "trial": Trial("mounts", "Unknown option --perms")},
        "bubblewrap",
        "0.4.1 is too old: install 0.5 or newer",
    ),
    "apparmor": (
        {"sysctls": RESTRICTED, "trial": Trial("loopback", "Operation not permitted")},
        "user_namespaces",
        "apparmor_restrict_unprivileged_userns` is 1): run `qguard setup`",
    ),
    "clone": (
        {"sysctls": {"kernel.unprivileged_userns_clone": 0}, "trial": Trial("namespaces", "Operation not permitted")},
        "user_namespaces",
        "`kernel.unprivileged_userns_clone` is 0",
    ),
    "none left": (
        {"sysctls": {"user.max_net_namespaces": 0}, "trial": Trial("namespaces", "No space left on device")},
        "user_namespaces",
        "`user.max_net_namespaces` is 0",
    ),
    "container": (
        {"container": True, "trial": Trial("namespaces", "Operation not permitted")},
        "user_namespaces",
        "the container denies user namespaces",
    ),
    "unknown": ({"trial": Trial("identity", "Operation not permitted")}, "user_namespaces", "Operation not permitted"),
    "masked": ({"container": True, "trial": Trial("mounts", "Can't mount proc")}, "mounts", "masks /proc"),
}


def test_a_machine_that_has_all_lacks_nothing():
    assert all(check.ok for check in requirements(WHOLE))
    assert missing(WHOLE) == ""


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing_is_named_with_what_to_do(case):
    changes, name, words = CASES[case]
    machine = dataclasses.replace(WHOLE, **changes)
    lacking = {check.id: check.detail for check in requirements(machine) if not check.ok}
    assert next(iter(lacking)) == name
    assert words in lacking[name]
    assert lacking[name] in missing(machine)


@pytest.mark.parametrize("changes", [{"release": "3.10"}, {"bwrap_version": (0, 3)}, {"sysctls": RESTRICTED}])
def test_what_was_made_all_the_same_is_no_complaint(changes):
    assert all(check.ok for check in requirements(dataclasses.replace(WHOLE, **changes)))


@pytest.mark.parametrize("system", ["Darwin", "Windows", "FreeBSD"])
def test_elsewhere_the_answer_is_one_line(system):
    machine = Machine(system=system, release="1", processor="arm64")
    assert [check.id for check in requirements(machine)] == ["linux"]
    assert "on Linux only" in missing(machine)


@given(
    st.builds(
        Machine,
        system=st.sampled_from(["Linux", "Darwin"]),
        release=st.text(),
        processor=st.sampled_from([*MACHINES, "mips"]),
        filters=st.booleans(),
        bwrap=st.sampled_from(["", "/usr/bin/bwrap"]),
        bwrap_version=st.lists(st.integers(0, 20), max_size=3).map(tuple),
        sysctls=st.dictionaries(st.sampled_from(["user.max_user_namespaces", *RESTRICTED]), st.integers(0, 9)),
        container=st.booleans(),
        trial=st.builds(
            Trial,
            st.sampled_from(["", "stub", "namespaces", "loopback", "listeners", "bubblewrap", "mounts"]),
            st.text(max_size=9),
        ),
    )
)
def test_a_machine_that_does_not_confine_is_never_said_to_lack_nothing(machine):
    if machine.confines:
        assert missing(machine) == ""
    else:
        assert missing(machine)
    assert all(check.detail for check in requirements(machine))
