"""The guard's part inside of real kernels: `%qguard`, refusals below a cell, and nothing that a child could use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from jupyter_qguard.policy.model import Tier
from jupyter_qguard.sandbox.companion import takes_companion, with_companion
from tests.sandbox.test_kernels import USERS, Run
from tests.users import NOBODY

POLICY = """
apiVersion: qguard/v1
egress:
  mode: enforce
  allow: [{host: api.example.org, owner: o, reason: r}]
"""


@pytest.mark.parametrize(
    ("argv", "takes"),
    [
        ("python -m ipykernel_launcher -f {connection_file}", True),
        ("conda run -n x python -Xfrozen_modules=off -m ipykernel -f {connection_file}", True),
        ("python -m bash_kernel -f {connection_file}", False),
        ("R --slave -e IRkernel::main()", False),
        ("-m", False),
        ("", False),
    ],
)
def test_only_ipython_kernels_take_it(argv, takes):
    assert takes_companion(argv.split()) is takes


def test_what_a_kernel_installed_does_not_stand_in_for_it():
    _, variables = with_companion(["python"], {"PYTHONPATH": "/overlay"}, Path("/lib"), 7, Tier.NETNS)
    assert variables == {"PYTHONPATH": "/lib:/overlay", "QGUARD_CONTROL": "7:netns"}


@pytest.fixture(params=USERS)
def run(request, tmp_path):
    return Run(tmp_path, request.param)


def scene(run, *arguments, **variables):
    policy = run.folder / "policy.yaml"
    policy.write_text(POLICY + f"audit: {{path: {run.folder}/trail}}\n")
    if run.user == "ordinary" and os.geteuid() == 0:
        os.chown(policy, NOBODY, NOBODY)
    lines = run(*arguments, stand_in=False, variables={"QGUARD_POLICY": str(policy), **variables})
    assert not [line for line in lines if "failed" in line], lines
    return {line["step"]: line for line in lines if "step" in line}, {line["tier"] for line in lines if "tier" in line}


@pytest.mark.e2e
@pytest.mark.parametrize("tier", ["netns", "cooperative"])
def test_a_kernel_says_what_holds_and_what_was_refused(run, tier):
    said, tiers = scene(run, "companion", QGUARD_TIER=tier)
    assert tiers == {tier}
    assert f"tier {tier}" in said["banner"]["out"]
    assert "%qguard explain HOST" in said["help"]["out"]
    assert f"guarded in tier {tier}; it reaches the allowlist" in said["status"]["out"]
    assert "api.example.org" in said["status"]["out"]
    assert ("do not heed" in said["status"]["out"]) is (tier == "cooperative")
    assert said["variable"]["out"] == "None\n"
    assert said["children"]["out"].split("\n")[0] == "[]", "a child program has a socket"
    assert "child process of the kernel" in said["children"]["out"]
    assert said["quiet"]["out"] == "nothing\n"
    for step in ("refused", "again") if tier == "netns" else ():
        (line,) = said[step]["out"].splitlines()
        assert line.startswith("qguard: refused paste.example.com:443 — not on the allowlist (policy.yaml).")
        assert line.endswith("See %qguard explain paste.example.com")
    assert "there is no `%qguard expand`" in said["unknown"]["out"]
    assert "went on" not in said["unknown"]["out"]
    assert "explain" in said["completed"]["out"]
    assert "paste.example.com:443 is refused: not on the allowlist" in said["healed"]["out"]
    assert said["restarted"]["out"] == f"{tier} refuse\n"


def records(run):
    lines = [
        line for path in sorted((run.folder / "trail").glob("audit-*.jsonl")) for line in path.read_text().splitlines()
    ]
    return [json.loads(line) for line in lines]


CLIENTS = {
    # step: what the client's own error says, host and reason of the line below the cell
    "requests": (
        "403 Forbidden: qguard: `requests.example.com` is not on the allowlist",
        "requests.example.com:443",
        "not on",
    ),
    "httpx": ("403 Forbidden", "httpx.example.com:443", "not on the allowlist"),
    "plain_http": ("reached <Response [403]>", "plain.example.com:80", "not on the allowlist"),
    "boto3": ("ProxyConnectionError", "s3.eu-west-1.amazonaws.com:443", "not on the allowlist"),
    "name": ("gaierror", "name.example.com", "not on the allowlist"),
    "address": ("OSError", "", ""),
    "thread": ("403 Forbidden: qguard:", "thread.example.com:443", "not on the allowlist"),
    "asyncio": ("403 Forbidden", "asyncio.example.com:443 3 times", "not on the allowlist"),
    "child": ("403", "child.example.com:443", "not on the allowlist"),
}


@pytest.mark.e2e
@pytest.mark.parametrize("run", USERS[-1:], indirect=True)
def test_each_client_hears_it_in_its_own_way_and_the_person_in_one_line(run):
    """The names of real libraries in a real kernel; what no listener of ours sees has no line, and Linux says it."""
    said, tiers = scene(run, "clients", QGUARD_TIER="netns", STEPS=" ".join([*CLIENTS, "tls"]))
    assert tiers == {"netns"}
    for step, (heard, host, why) in CLIENTS.items():
        lines = [line for line in said[step]["out"].splitlines() if line.startswith("qguard: ")]
        assert heard in said[step]["out"], (step, said[step])
        if not host:
            assert lines == [], step
            continue
        assert len(lines) == 1, (step, said[step])
        assert lines[0].startswith(f"qguard: refused {host}"), lines
        assert why in lines[0]
        assert "%qguard explain" in lines[0]
    (tls,) = [line for line in said["tls"]["out"].splitlines() if line.startswith("qguard: ")]
    assert "api.example.org" in tls
    assert said["late"]["out"] == "a quiet cell\n"
    found = [each["data"] for each in records(run) if each["type"] == "egress.decided"]
    counted = {
        each["host"]: sum(other.get("count", 1) for other in found if other["host"] == each["host"]) for each in found
    }
    assert counted["asyncio.example.com"] == 3
    assert len([each for each in found if each["host"] == "asyncio.example.com"]) <= 2, "equal ones are counted"
    hosts = {host.split()[0].partition(":")[0] for _, host, _ in CLIENTS.values() if host}
    assert hosts <= set(counted), "every refusal is in the trail"
    (started,) = [each["data"] for each in records(run) if each["type"] == "kernel.started"]
    assert started["tier"] == "netns"


@pytest.mark.e2e
@pytest.mark.parametrize("run", USERS[-1:], indirect=True)
def test_where_only_proxy_variables_hold_those_who_heed_them_hear_it_too(run):
    steps = ["requests", "httpx", "boto3", "thread", "asyncio", "child"]
    said, tiers = scene(run, "clients", QGUARD_TIER="cooperative", STEPS=" ".join(steps))
    assert tiers == {"cooperative"}
    for step in steps:
        heard, host, why = CLIENTS[step]
        (line,) = [line for line in said[step]["out"].splitlines() if line.startswith("qguard: ")]
        assert heard in said[step]["out"]
        assert line.startswith(f"qguard: refused {host}")
        assert why in line
    (started,) = [each["data"] for each in records(run) if each["type"] == "kernel.started"]
    assert started["tier"] == "cooperative"


@pytest.mark.e2e
@pytest.mark.parametrize("home", [False, True])
def test_a_person_outside_allows_once_and_a_kernel_cannot(run, home):
    variables = {"WORKSPACE": str(run.folder / "home")} if home else {}
    (run.folder / "home").mkdir(exist_ok=True)
    said, _ = scene(run, "allowed_once", QGUARD_TIER="netns", **variables)
    assert "is not on the allowlist" in said["before"]["out"]
    assert "qguard allow once.example.com --kernel" in said["explain"]["out"]
    assert (said["asked"]["code"], said["asked"]["err"]) == (0, ""), said["asked"]
    assert "may reach once.example.com:443 until" in said["asked"]["out"]
    assert "not on the allowlist" not in said["once"]["out"]
    assert "is not on the allowlist" in said["forged"]["out"], "a kernel allowed itself a host"
    assert "once.example.com:443 until" in said["status"]["out"]
    (granted,) = [each["data"] for each in records(run) if each["type"] == "override.granted"]
    assert (granted["host"], granted["port"], granted["reason"]) == ("once.example.com", 443, "a test")


@pytest.fixture
def foreign(tmp_path):
    """An interpreter with ipykernel and without this package, which is installed by a link that its site ignores."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "other")], check=True)
    (site,) = (tmp_path / "other").glob("lib/python3*/site-packages")
    (site / "theirs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = tmp_path / "other/bin/python"
    missing = subprocess.run([python, "-c", "import jupyter_qguard"], capture_output=True, check=False, cwd="/")
    assert missing.returncode != 0
    return python


def kernelspec(folder, name, argv):
    spec = folder / "home/.local/share/jupyter/kernels" / name
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": "x"}))


@pytest.mark.e2e
@pytest.mark.parametrize("run", USERS[-1:], indirect=True)
def test_a_kernel_of_an_environment_without_this_package_has_it_too(run, foreign):
    kernelspec(run.folder, "python3", [str(foreign), "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    said, _ = scene(run, "companion", JUPYTER_PREFER_ENV_PATH="0")
    assert str(foreign.parents[1]) in said["where"]["out"]
    assert "/lib/jupyter_qguard/__init__.py False " in said["where"]["out"]
    assert "qguard: refused paste.example.com:443" in said["refused"]["out"]


FIND = """
import json, os, stat, sys, time
names = [int(each) for each in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + each)]
sockets = [each for each in names if stat.S_ISSOCK(os.stat(f'/proc/self/fd/{each}').st_mode)]
found = {'sockets': sockets, 'variable': os.environ.get('QGUARD_CONTROL'), 'arguments': sys.argv[1:]}
open('found.new', 'w').write(json.dumps(found))
os.rename('found.new', 'found.json')
time.sleep(60)
"""


@pytest.mark.e2e
@pytest.mark.parametrize("run", USERS[-1:], indirect=True)
def test_a_program_that_is_no_ipython_kernel_is_given_nothing(run):
    kernelspec(run.folder, "plain", [sys.executable, "-c", FIND, "{connection_file}"])
    said, tiers = scene(run, "no_ipython")
    assert tiers == {"netns"}
    assert (said["found"]["sockets"], said["found"]["variable"]) == ([], None)
    assert len(said["found"]["arguments"]) == 1


BROKEN = "import sys; sys.exit('no module called tungsten, key ' + 'AbCd1234' * 4)"


@pytest.mark.e2e
@pytest.mark.parametrize("run", USERS[-1:], indirect=True)
@pytest.mark.parametrize("tier", ["netns", "cooperative"])
def test_a_kernel_that_cannot_start_leaves_its_last_words_and_one_that_ran_none(run, tier):
    kernelspec(run.folder, "broken", [sys.executable, "-c", BROKEN, "-m", "ipykernel_launcher", "{connection_file}"])
    said, tiers = scene(run, "dying", QGUARD_TIER=tier)
    assert tiers == {tier}
    assert "ended before it ran anything: no module called tungsten" in said["broken"]["out"]
    assert "AbCd1234" not in said["broken"]["out"]
    assert "said-by-a-cell" not in said["python3"]["out"]
