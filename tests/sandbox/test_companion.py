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
