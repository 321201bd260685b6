"""Kernels in containers that real Docker makes with its default profile: the right tier, proved, or a refusal that says why.

As root, with the capabilities that Docker gives, and as an ordinary user without any. Docker is the one that
:mod:`tests.sandbox.pod` finds; the network around is a stand-in.
"""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.sandbox import pod
from tests.sandbox.pod import INSIDE, ORDINARY, Docker

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(pod.missing()), reason=pod.missing())]
USERS = {"root": (0, ()), "ordinary": (ORDINARY, ("--cap-drop=ALL", "--security-opt=no-new-privileges"))}
STRICT, LAX = 3128, 3129
"""Ports of the platform's proxies: one lets clients through to the allowlist alone, one to anywhere."""


@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    made = Docker(tmp_path_factory.mktemp("docker"))
    try:
        if made.lacking:
            pytest.skip(f"Docker cannot make pods here: {made.lacking}")
        made.world()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def confined(docker):
    return docker.network(confined=True)


@pytest.fixture(scope="module")
def unconfined(docker):
    return docker.network(confined=False)


@pytest.fixture(params=USERS)
def start(request, docker, tmp_path):
    """Runs a command in a pod."""
    user, options = USERS[request.param]
    for name in ("home", "workspace"):
        (tmp_path / name).mkdir()

    def started(network, *command, minimum="platform", proxy=STRICT, **environ):
        upstream = f'upstream_proxy: "http://{network.proxy}:{proxy}", ' if proxy else ""
        entry = "{host: api.vendor.test, ports: [8080], plain: true, owner: o, reason: r}"
        egress = f"{{{upstream}minimum_tier: {minimum}, allow: [{entry}]}}"
        (tmp_path / "policy.yaml").write_text(f"apiVersion: qguard/v1\negress: {egress}\n")
        for path in (tmp_path, *tmp_path.iterdir()):
            os.chown(path, user, user)
        given = {
            "PATH": os.environ["PATH"],
            "HOME": f"{INSIDE}/home",
            "WORKSPACE": f"{INSIDE}/workspace",
            "QGUARD_POLICY": f"{INSIDE}/policy.yaml",
            "PYTHONPATH": str(pod.REPOSITORY),
            **environ,
        }
        return docker.pod(network, tmp_path, [sys.executable, *command], user=user, environ=given, options=options)

    return started


def doctor(start, network, **more):
    done = start(network, "-m", "jupyter_qguard.cli", "doctor", "--format", "json", **more)
    return done.returncode, json.loads(done.stdout)


def kernel(start, network, scene, **more):
    done = start(network, str(pod.HERE / "kernel_run.py"), scene, **more)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-3000:]
    return lines


def test_where_the_network_leads_to_the_proxy_alone_the_tier_is_platform(start, confined):
    code, found = doctor(start, confined)
    assert (code, found["tier"]) == (0, "platform")
    held = set(found["enforced"])
    assert {"proxy", "proxy_without_password", f"platform_proxy {confined.proxy}:{STRICT}"} <= held
    assert {"tcp 1.1.1.1:443", "names 8.8.8.8:53", "metadata 169.254.169.254:80"} <= held
    assert {"filter_program", "no_new_privileges", "capabilities", "files_and_processes", "io_uring_setup"} <= held
    assert any("credentials" in text for text in found["not_stopped"])
    assert ("signals" in held) == (pod.landlock() >= 6)
    assert any("older than 6.12" in text for text in found["not_stopped"]) == (pod.landlock() < 6)


def test_a_kernel_there_reaches_the_allowlist_and_works(start, confined):
    lines = kernel(start, confined, "pod")
    assert not [line for line in lines if "failed" in line], lines
    assert {line["tier"] for line in lines if "tier" in line} == {"platform"}
    said = {line["step"]: line.get("out") for line in lines if "step" in line}
    errors = {line["step"]: line.get("errors") for line in lines if "step" in line}
    assert said["allowed"] == said["restart"] == "from outside\n"
    assert "403" in said["refused"]
    assert "403" in said["plain"]
    assert "Network is unreachable" in said["past_the_proxy"]
    assert said["stranger"].startswith("HTTP/1.1 407 ")
    assert said["workspace"] == said["tmp"] == "written\n"
    for step in ("home", "moved", "other_kernel", *(("signal", "server") if pod.landlock() >= 6 else ())):
        assert said[step].startswith(("PermissionError", "OSError(18")), (step, said[step])
    assert said["ring"] == "-1 1\n"
    assert "from 42" in said["shell"]
    assert said["multiprocessing"] == "3\n"
    assert said["matplotlib"] == "1\n"
    assert errors["interrupt"] == ["KeyboardInterrupt"]


def test_where_a_direct_way_is_open_the_tier_is_cooperative_and_below_the_minimum_nothing_starts(start, unconfined):
    code, found = doctor(start, unconfined)
    assert (code, found["tier"]) == (1, "cooperative")
    (platform,) = [check for check in found["checks"] if check["id"] == "platform"]
    for way in ("tcp 1.1.1.1:443: connected", "names 8.8.8.8:53: answers", "metadata 169.254.169.254:80: connected"):
        assert way in platform["detail"]
    (line,) = kernel(start, unconfined, "start_only")
    assert line["failed"] == "KernelRefusedError"
    assert "tcp 1.1.1.1:443: connected" in line["message"]
    assert "wants tier platform at least" in line["message"]


def test_where_the_policy_is_content_with_it_a_kernel_starts_there_too(start, unconfined):
    (line,) = kernel(start, unconfined, "start_only", minimum="cooperative")
    assert line["tier"] == "cooperative"


def test_a_proxy_of_the_platform_that_lets_everybody_through_is_a_way_out(start, confined):
    (line,) = kernel(start, confined, "start_only", proxy=LAX)
    assert line["failed"] == "KernelRefusedError"
    assert f"platform_proxy {confined.proxy}:{LAX}: does not refuse a host" in line["message"]


def test_without_a_proxy_outside_there_is_no_such_tier(start, confined):
    code, found = doctor(start, confined, proxy=None)
    assert (code, found["tier"]) == (1, "cooperative")
    assert "egress.upstream_proxy" in str(found["checks"])


def test_where_the_policy_wants_namespaces_the_person_reads_that_the_container_denies_them(start, confined):
    code, found = doctor(start, confined, minimum="netns")
    assert (code, found["tier"]) == (1, "platform")
    (line,) = kernel(start, confined, "start_only", minimum="netns")
    assert line["failed"] == "KernelRefusedError"
    assert "user namespaces are denied" in line["message"]
    assert "wants tier netns at least" in line["message"]
