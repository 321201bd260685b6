"""``qguard doctor`` on this machine, and on machines that give less."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.users import NOBODY, ordinary

pytestmark = pytest.mark.e2e

QGUARD = ("-m", "jupyter_qguard.cli")
DENIES_NAMESPACES = """
import ctypes, os, platform, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
unshare, clone, load = {"x86_64": (272, 56, 317), "aarch64": (97, 220, 277)}[platform.machine()]
code = [(0x20, 0, 0, 0), (0x15, 0, 1, unshare), (6, 0, 0, 0x50001), (0x15, 0, 1, 435), (6, 0, 0, 0x50026),
        (0x15, 0, 3, clone), (0x20, 0, 0, 16), (0x45, 0, 1, 0x7E020000), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]
program = b"".join(struct.pack("=HBBI", *each) for each in code)
buffer = ctypes.create_string_buffer(program, len(program))
assert libc.prctl(38, 1, 0, 0, 0) == 0
libc.syscall.restype = ctypes.c_long
assert libc.syscall(ctypes.c_long(load), 1, 0, struct.pack("@HP", len(code), ctypes.addressof(buffer))) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def doctor(tmp_path):
    """Runs the command with a home and a policy of its own."""

    def run(policy: str, *options: str, before: tuple[str, ...] = (), **environ: str):
        home = tmp_path / "home"
        (home / "work").mkdir(parents=True, exist_ok=True)
        (tmp_path / "policy.yaml").write_text(f"apiVersion: qguard/v1\n{policy}")
        given = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "QGUARD_POLICY": str(tmp_path / "policy.yaml"),
            **environ,
        }
        return subprocess.run(
            [*before, sys.executable, *QGUARD, "doctor", *options],
            cwd=home / "work",
            env=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_this_machine_gives_netns_and_what_is_hidden_was_tried(doctor, tmp_path):
    key = tmp_path / "home/.tc.auth.json"
    key.parent.mkdir()
    key.write_text("{}")
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["tier"] == "netns", report["checks"]
    assert {"tcp", "udp", "ptrace", "unshare", "mount", f"read {key}"} <= set(report["enforced"])
    assert all(check["ok"] for check in report["checks"])
    assert report["not_stopped"]
    text = doctor("egress: {minimum_tier: netns}\n").stdout
    assert "Tier netns" in text
    assert re.search(r"(?m)^  has  bubblewrap +\d", text)
    assert "lacks" not in text
    rows = [line for line in text.splitlines() if line.startswith("  has  ")]
    assert len({re.match(r"  has  \S+ +", row).end() for row in rows}) == 1, "details do not stand below each other"
    assert "Not stopped:" in text


@pytest.mark.parametrize(("minimum", "code"), [("netns", 1), ("cooperative", 0)])
def test_without_namespaces_the_tier_is_cooperative_and_the_reason_is_told(doctor, minimum, code):
    done = doctor(
        f"egress: {{minimum_tier: {minimum}}}\n", "--format", "json", before=(sys.executable, "-c", DENIES_NAMESPACES)
    )
    assert done.returncode == code, done.stderr
    report = json.loads(done.stdout)
    assert (report["tier"], report["enforced"]) == ("cooperative", [])
    lacking = {check["id"]: check["detail"] for check in report["checks"] if not check["ok"]}
    assert set(lacking) == {"user_namespaces", "netns", "platform"}
    assert "egress.upstream_proxy" in lacking["platform"]
    assert "user namespaces" in lacking["user_namespaces"]
    assert "programs that do not heed the proxy variables" in report["not_stopped"]


def test_a_policy_that_would_open_too_much_starts_no_kernel(doctor):
    entry = "{path: ~/.ssh, access: read_write, owner: a, reason: b, expires: 2099-01-31}"
    done = doctor(f"files: [{entry}]\n", "--format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["tier"] == "none"
    assert "must not be writable" in report["checks"][-1]["detail"]


def test_entries_of_the_policy_reach_the_sandbox(doctor, tmp_path):
    secret = Path(tmp_path / "home/work/private.txt")
    secret.parent.mkdir(parents=True)
    secret.write_text("x")
    report = json.loads(doctor(f"files: [{{path: {secret}, access: hidden}}]\n", "--format", "json").stdout)
    assert f"read {secret}" in report["enforced"]


ELSEWHERE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("-Ur",)), "sh", "-c")
"""Runs a script, whose mounts nobody else sees."""
OLD_BWRAP = """#!/bin/sh
# Stands for bubblewrap 0.4.1, which no distribution of the test machine has.
[ "$1" != --version ] || { echo "bubblewrap 0.4.1"; exit 0; }
echo "bwrap: Unknown option --perms" >&2
exit 1
"""
NO_SECCOMP = """
import ctypes, os, platform, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
prctl = {"x86_64": 157, "aarch64": 167}[platform.machine()]
code = [(0x20, 0, 0, 0), (0x15, 0, 3, prctl), (0x20, 0, 0, 16), (0x15, 0, 1, 22), (6, 0, 0, 0x50016), (6, 0, 0, 0x7FFF0000)]
program = b"".join(struct.pack("=HBBI", *each) for each in code)
buffer = ctypes.create_string_buffer(program, len(program))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("@HP", len(code), ctypes.addressof(buffer)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Answers as a Linux that was built without filters of system calls."""


def lacking_of(done):
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["tier"] != "netns"
    return {check["id"]: check["detail"] for check in report["checks"] if not check["ok"]}


def test_without_bubblewrap_the_package_is_named(doctor, tmp_path):
    (tmp_path / "none").touch(0o644)
    script = f'mount --bind {tmp_path}/none $(command -v bwrap) && exec "$@"'
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json", before=(*ELSEWHERE, script, "sh"))
    lacking = lacking_of(done)
    assert "install the package `bubblewrap`" in lacking["bubblewrap"]
    assert "`qguard setup`" in lacking["bubblewrap"]
    text = doctor("egress: {minimum_tier: netns}\n", before=(*ELSEWHERE, script, "sh")).stdout
    assert "no kernel starts" in text
    assert re.search(r"(?m)^  lacks  bubblewrap  ", text)


def test_an_old_bubblewrap_is_named_with_its_version(doctor, tmp_path):
    (tmp_path / "old").write_text(OLD_BWRAP)
    (tmp_path / "old").chmod(0o755)
    script = f'mount --bind {tmp_path}/old $(command -v bwrap) && exec "$@"'
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json", before=(*ELSEWHERE, script, "sh"))
    assert "0.4.1 is too old: install 0.5 or newer" in lacking_of(done)["bubblewrap"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"apparmor_restrict_unprivileged_userns": "1"},
            "apparmor_restrict_unprivileged_userns` is 1): run `qguard setup`",
        ),
        ({"unprivileged_userns_clone": "0"}, "`kernel.unprivileged_userns_clone` is 0"),
    ],
)
def test_the_setting_that_denies_user_namespaces_is_named(doctor, tmp_path, settings, words):
    # The setting is put where the machine has none; what it would do, a filter of system calls does.
    kernel = tmp_path / "kernel"
    kernel.mkdir()
    for name, value in settings.items():
        (kernel / name).write_text(f"{value}\n")
    script = f'mount --bind {kernel} /proc/sys/kernel && exec "$@"'
    before = (*ELSEWHERE, script, "sh", sys.executable, "-c", DENIES_NAMESPACES)
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json", before=before)
    assert words in lacking_of(done)["user_namespaces"]


def test_a_linux_without_filters_and_an_old_one_are_named(doctor):
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json", before=(sys.executable, "-c", NO_SECCOMP))
    assert "CONFIG_SECCOMP_FILTER" in lacking_of(done)["system_call_filter"]
    before = ("setarch", os.uname().machine, "--uname-2.6", sys.executable, "-c", DENIES_NAMESPACES)
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json", before=before)
    assert "is too old: install 4.18 or newer" in lacking_of(done)["linux"]


def test_where_proc_is_masked_as_in_a_container_the_mounts_are_named(doctor):
    script = "mount -o remount,bind,ro /proc/sys 2>/dev/null || mount --bind -o ro /proc/sys /proc/sys; "
    script += 'mount --bind /dev/null /proc/interrupts && exec "$@"'
    done = doctor("egress: {minimum_tier: netns}\n", "--format", "json", before=(*ELSEWHERE, script, "sh"))
    assert "proc" in lacking_of(done)["mounts"]


def test_ordinary_users_have_the_tier_at_the_same_time(tmp_path):
    running = []
    for user in (NOBODY, NOBODY - 1):
        python, environment, options = ordinary(tmp_path, user=user, name=f"home{user}")
        command = [python, *QGUARD, "doctor", "--format", "json"]
        running.append(
            subprocess.Popen(
                command, cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
            )
        )
    for each in running:
        out, err = each.communicate(timeout=120)
        assert each.returncode == 0, err
        assert json.loads(out)["tier"] == "netns"
