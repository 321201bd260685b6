"""``qguard doctor`` on this machine, and on machines that give less."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

QGUARD = (sys.executable, "-m", "jupyter_qguard.cli")
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
            [*before, *QGUARD, "doctor", *options],
            cwd=home / "work",
            env=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.mark.e2e
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
    assert "Not stopped:" in text


@pytest.mark.e2e
@pytest.mark.parametrize(("minimum", "code"), [("netns", 1), ("cooperative", 0)])
def test_without_namespaces_the_tier_is_cooperative_and_the_reason_is_told(doctor, minimum, code):
    done = doctor(
        f"egress: {{minimum_tier: {minimum}}}\n", "--format", "json", before=(sys.executable, "-c", DENIES_NAMESPACES)
    )
    assert done.returncode == code, done.stderr
    report = json.loads(done.stdout)
    assert (report["tier"], report["enforced"]) == ("cooperative", [])
    assert "namespace" in report["checks"][0]["detail"] or "network" in report["checks"][0]["detail"]
    assert "programs that do not heed the proxy variables" in report["not_stopped"]


@pytest.mark.e2e
def test_a_policy_that_would_open_too_much_starts_no_kernel(doctor):
    entry = "{path: ~/.ssh, access: read_write, owner: a, reason: b, expires: 2099-01-31}"
    done = doctor(f"files: [{entry}]\n", "--format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["tier"] == "none"
    assert "must not be writable" in report["checks"][0]["detail"]


@pytest.mark.e2e
def test_entries_of_the_policy_reach_the_sandbox(doctor, tmp_path):
    secret = Path(tmp_path / "home/work/private.txt")
    secret.parent.mkdir(parents=True)
    secret.write_text("x")
    report = json.loads(doctor(f"files: [{{path: {secret}, access: hidden}}]\n", "--format", "json").stdout)
    assert f"read {secret}" in report["enforced"]
