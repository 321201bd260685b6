"""Kernels where a filter of system calls denies namespaces, without a container: as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_doctor import DENIES_NAMESPACES
from tests.sandbox.pod import landlock
from tests.users import NOBODY, oneself, ordinary

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes the network around it"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="there is no `ip` to make the network with"),
]
HERE = Path(__file__).parent
LANDLOCKED = pytest.mark.skipif(landlock() < 1, reason="this Linux has no Landlock")
PROXY = "http://127.0.0.1:3128"


@pytest.fixture(params=[0, NOBODY], ids=["root", "ordinary"])
def start(request, tmp_path):
    def started(world, minimum, *words):
        python, environment, _ = ordinary(tmp_path) if request.param else oneself(tmp_path)
        policy, workspace = tmp_path / "policy.yaml", tmp_path / "workspace"
        workspace.mkdir()
        policy.write_text(f"apiVersion: qguard/v1\negress: {{upstream_proxy: '{PROXY}', minimum_tier: {minimum}}}\n")
        for path in (policy, workspace):
            os.chown(path, request.param, request.param)
        inner = [python, "-c", DENIES_NAMESPACES, python, str(HERE / "kernel_run.py"), *(words or ["start_only"])]
        done = subprocess.run(
            [sys.executable, str(HERE / "denied.py"), str(request.param), world, *inner],
            env={
                **environment,
                "QGUARD_POLICY": str(policy),
                "WORKSPACE": str(workspace),
                "JUPYTER_PATH": f"{environment['HOME']}/share",
            },
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr[-3000:]
        return lines

    return started


def test_where_nothing_but_the_proxy_answers_the_tier_is_platform(start):
    (line,) = start("proxies", "platform")
    assert line.get("tier") == "platform", line


def test_a_kernel_that_knows_tcp_alone_runs_there_too(start):
    lines = start("proxies", "platform", "tcp")
    said = {line["step"]: line for line in lines if "step" in line}
    assert {line["tier"] for line in lines if "tier" in line} == {"platform"}, lines
    assert said["execute"]["out"] == "tcp\n"
    assert said["restart"]["out"] == "3\n"


def test_where_more_answers_no_kernel_starts_and_the_message_names_it(start):
    (line,) = start("all", "platform")
    assert line["failed"] == "KernelRefusedError"
    assert "user namespaces are denied" in line["message"]
    assert "tcp 1.1.1.1:443: connected" in line["message"]
    assert "must let out to the proxy" in line["message"]


@pytest.mark.parametrize(
    ("part", "error", "said"),
    [
        ("filter", "CanaryError", "ptrace: not refused"),
        pytest.param("rules", "CanaryError", "files outside of the kernel's folders", marks=LANDLOCKED),
        ("password", "KernelRefusedError", "proxy_without_password: answers 204"),
    ],
)
def test_with_a_part_of_the_guard_taken_out_no_kernel_starts_and_the_message_names_what_it_held(
    start, part, error, said
):
    (line,) = start("proxies", "platform", "--without", part, "start_only")
    assert line.get("failed") == error, line
    assert said in line["message"]


def test_where_more_answers_and_the_policy_is_content_the_tier_is_cooperative(start):
    (line,) = start("all", "cooperative")
    assert line["tier"] == "cooperative"
