"""Real kernels in the real sandbox, as root (if the tests are) and as an ordinary user.

Where a machine denies user namespaces these tests fail and say so: a sandbox that was not tried does not hold.
"""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jupyter_qguard.audit.event import EventType
from tests.users import NOBODY, oneself, ordinary

HERE = Path(__file__).parent
USERS = ["ordinary", *(["root"] if os.geteuid() == 0 else [])]
pytestmark = pytest.mark.e2e


@dataclass
class Run:
    """Of :mod:`kernel_run`, as one user."""

    folder: Path
    user: str
    told: list = field(default_factory=list)

    def __call__(self, *arguments, stand_in=True, variables=None, prefix=()):
        python, environment, options = self._python()
        extra = ["--stand-in", str(self.folder / "told")] if stand_in else []
        done = subprocess.run(
            [*prefix, python, str(HERE / "kernel_run.py"), *extra, *arguments],
            env={**environment, **(variables or {})},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            **options,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr[-3000:]
        told = self.folder / "told"
        self.told = [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []
        return lines

    def _python(self):
        workspace = self.folder / "workspace"
        workspace.mkdir(parents=True, exist_ok=True)
        python, environment, options = (oneself if self.user == "root" else ordinary)(self.folder)
        environment["WORKSPACE"] = str(workspace)
        if options:
            for path in (self.folder, workspace):
                os.chown(path, NOBODY, NOBODY)
        return python, environment, options


@pytest.fixture(params=USERS)
def run(request, tmp_path):
    return Run(tmp_path, request.param)


def steps(lines):
    """Step to what it said; every kernel must have been confined."""
    assert not [line for line in lines if "failed" in line], lines
    assert {line["tier"] for line in lines if "tier" in line} == {"netns"}
    return {line["step"]: line for line in lines if "step" in line}


def programs_of(folder):
    """Programs that were given *folder* on their command line and still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                continue
    return found


def gone(condition):
    """Wait until *condition* is nothing any more."""
    end = time.monotonic() + 20
    while found := condition():
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return True


def test_a_kernel_lives_and_ends_as_without_a_sandbox(run):
    lines = run("life")
    said = steps(lines)
    assert said["execute"]["out"] == "42\n"
    assert said["interrupt"]["errors"] == ["KeyboardInterrupt"]
    assert said["alive"]["out"] == "1\n"
    assert said["restart"]["out"] == "False\n"
    assert said["end"]["alive"] is False
    folders = {line["folder"] for line in lines if "folder" in line}
    assert all(gone(lambda folder=folder: programs_of(folder)) for folder in folders)
    assert not any(Path(folder).exists() for folder in folders)


def wheel(folder):
    folder.mkdir(parents=True)
    info = "tinyqguard-1.0.dist-info"
    with zipfile.ZipFile(folder / "tinyqguard-1.0-py3-none-any.whl", "w") as file:
        file.writestr("tinyqguard.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinyqguard\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize("run", USERS[-1:], indirect=True)  # under root the ordinary one runs Debian's Python
def test_what_a_kernel_installs_and_caches_is_there_for_the_next_and_nowhere_else(run):
    wheel(run.folder / "workspace" / "wheels")
    said = steps(run("installs"))
    overlay = run.folder / "home" / ".local/share/jupyter-qguard/kernels"
    for step in ("first", "second"):
        assert said[step]["out"].startswith(str(overlay)), said
    assert (said["cache_first"]["out"], said["cache_second"]["out"]) == ("False\n", "True\n")
    assert not (run.folder / "home/.cache/mine").exists()
    assert subprocess.run([sys.executable, "-c", "import tinyqguard"], check=False, capture_output=True).returncode


@pytest.mark.parametrize(("mode", "new"), [("observe", "written\n"), ("enforce", "")])
def test_a_home_folder_as_workspace_takes_new_files_only_where_connections_are_observed(run, mode, new):
    home = run.folder / "home"
    (home / "folder").mkdir(parents=True)
    (home / ".bashrc").write_text("# mine\n")
    (home / "lost+found").mkdir(mode=0o700)  # of root, where the tests are: nobody else can look into it
    policy = run.folder / "policy.yaml"
    policy.write_text(f"apiVersion: qguard/v1\negress: {{mode: {mode}}}\n")
    variables = {"WORKSPACE": str(home), "QGUARD_POLICY": str(policy)}
    if run.user == "ordinary" and os.geteuid() == 0:
        for path in (home / "folder", home / ".bashrc"):
            os.chown(path, NOBODY, NOBODY)
    said = steps(run("at_home", variables=variables))
    assert said["new.txt"]["out"] == new
    assert said["folder/new.txt"]["out"] == "written\n"
    assert said[".bashrc"]["out"] == ""
    assert (home / ".bashrc").read_text() == "# mine\n"


def test_the_start_is_recorded_before_the_kernel_runs_and_its_doors_are_closed_after_it(run):
    run("start_only")
    kinds = [message["type"] for message, _ in run.told]
    assert kinds == ["welcome", "open", "started", "close"]
    (opened, descriptors) = run.told[1]
    assert descriptors == len(opened["doors"])
    assert {(door["kind"], door["port"]) for door in opened["doors"]} == {
        ("proxy", 3128),
        ("names", 53),
        ("names_stream", 53),
        ("direct", 443),
        ("control", 0),
    }
    started = run.told[2][0]
    assert started["tier"] == 0
    assert {"tcp", "udp", "mptcp", "tcp_fast_open", "abstract_socket", "ptrace", "capabilities"} <= set(
        started["enforced"]
    )


def test_what_notebooks_do_works(run):
    said = steps(run("work"))
    assert "/dev/pts/" in said["shell"]["out"]
    assert "from 42" in said["shell"]["out"]
    assert said["input"]["out"].endswith("hello ada\n")
    assert said["multiprocessing"]["out"] == "3\n"
    assert said["local_service"]["out"] == "b'ok'\n"
    assert "300000\n" in said["raw_output"]["out"], "the kernel stood still on its full pipe"
    assert said["nested"]["out"] != "0\n", "a namespace was made inside"
    assert said["widget"]["out"] == [1, 42]
    assert said["debugger"]["out"] == [3, "42", "went on\n"]


def workspace(run, *names, mode=0o755):
    """A folder below that of the test, with a file in it."""
    folder = run.folder.joinpath(*names)
    folder.mkdir(parents=True)
    (folder / "there.txt").write_text("was there")
    if run.user == "ordinary" and os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    folder.chmod(mode)
    return {"WORKSPACE": str(folder)}


def test_a_workspace_may_lie_deep(run):
    deep = workspace(run, *["d" * 200] * 10)
    variables = {**deep, "XDG_RUNTIME_DIR": deep["WORKSPACE"], "TMPDIR": deep["WORKSPACE"]}
    said = steps(run("elsewhere", variables=variables))
    assert (said["read"]["out"], said["write"]["out"]) == ("was there\n", "x\n")


@pytest.mark.parametrize("run", USERS[:1], indirect=True)  # root writes where nobody may
def test_a_workspace_may_be_read_only(run):
    said = steps(run("elsewhere", variables=workspace(run, "closed", mode=0o555)))
    assert said["read"]["out"] == "was there\n"
    assert said["write"]["errors"] == ["PermissionError"]


def test_a_kernel_that_knows_tcp_alone_is_confined_and_reached_all_the_same(run):
    lines = run("tcp", variables={"JUPYTER_PATH": str(run.folder / "home" / "share")})
    said = steps(lines)
    assert said["execute"]["out"] == "tcp\n"
    assert len(said["large"]["out"]) == 3_000_001
    assert said["interrupt"]["errors"] == ["KeyboardInterrupt"]
    assert said["second"]["out"] == "2\n"
    assert said["restart"]["out"] == "3\n"
    assert said["second_after"]["out"] == "4\n"
    assert said["end"]["alive"] is False
    folders = {line["folder"] for line in lines if "folder" in line}
    assert all(gone(lambda folder=folder: programs_of(folder)) for folder in folders)


def test_a_kernel_that_knows_tcp_alone_runs_in_the_weaker_tier_too(run):
    lines = run("--no-bwrap", "tcp", variables={"JUPYTER_PATH": str(run.folder / "home" / "share")})
    said = {line["step"]: line for line in lines if "step" in line}
    assert said["execute"]["out"] == "tcp\n", lines
    assert said["restart"]["out"] == "3\n", lines


def test_kernels_run_beside_each_other(run):
    lines = run("parallel")
    steps(lines)
    assert len([line for line in lines if line.get("out") == "1\n"]) == 3


def test_a_killed_kernel_is_seen_and_started_anew(run):
    said = steps(run("killed"))
    assert said["killed"]["alive"] is False
    assert said["again"]["out"] == "2\n"


def test_nothing_outlives_a_killed_server(run):
    (line,) = run("orphaned")
    assert gone(lambda: programs_of(line["folder"]))
    assert gone(lambda: programs_of(run.folder / "told"))
    steps(run("start_only"))
    assert not Path(line["folder"]).parent.exists(), "the next server leaves the folders of a dead one"


def test_a_kernel_whose_sandbox_has_a_hole_is_not_executed(run):
    (line,) = run("--without", "filter", "start_only")
    assert line["failed"] == "CanaryError"
    assert "ptrace: not refused" in line["message"]
    kinds = [message["type"] for message, _ in run.told]
    assert "started" not in kinds
    assert kinds[-1] == "failure"


def test_what_is_replaced_while_a_kernel_starts_is_looked_at_again(run):
    lines = run("--meddle", "moved", "start_only")
    assert [line.get("step", line.get("tier")) for line in lines] == ["looked", "looked", "netns"]
    assert [message["type"] for message, _ in run.told].count("started") == 1


@pytest.mark.parametrize("way", ["link", "gone"])
def test_what_is_replaced_each_time_keeps_the_kernel_from_starting_also_in_a_weaker_tier(run, way):
    *looks, line = run("--meddle", way, "start_only")
    assert len(looks) == 3, line
    assert line["failed"] == "ReplacedError", line
    assert ".vscode" in line["message"]
    assert "started" not in [message["type"] for message, _ in run.told]


def test_without_bubblewrap_the_policy_decides(run):
    (line,) = [line for line in run("--no-bwrap", "start_only") if "tier" in line]
    assert line["tier"] == "cooperative"


def test_below_the_minimum_no_kernel_starts_and_the_person_reads_why(run):
    policy = run.folder / "policy.yaml"
    policy.write_text("apiVersion: qguard/v1\negress: {minimum_tier: netns}\n")
    if run.user == "ordinary" and os.geteuid() == 0:
        os.chown(policy, NOBODY, NOBODY)
    (line,) = run("--no-bwrap", "start_only", variables={"QGUARD_POLICY": str(policy)})
    assert line["failed"] == "KernelRefusedError"
    assert "install the package `bubblewrap`" in line["message"]
    assert "netns" in line["message"]


DENIED = ("unshare", "-Ur", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh")
"""Runs a command where no user namespace can be made."""


def test_where_user_namespaces_are_denied_the_policy_decides_and_the_person_reads_why(run):
    if (
        run.user == "root"
    ):  # for others root is nobody in there, so that /etc is not trusted and the strictest policy holds
        (line,) = [line for line in run("start_only", prefix=DENIED) if "tier" in line]
        assert line["tier"] == "cooperative"
    policy = run.folder / "policy.yaml"
    policy.write_text("apiVersion: qguard/v1\negress: {minimum_tier: netns}\n")
    if run.user == "ordinary" and os.geteuid() == 0:
        os.chown(policy, NOBODY, NOBODY)
    (line,) = run("start_only", prefix=DENIED, variables={"QGUARD_POLICY": str(policy)})
    assert line["failed"] == "KernelRefusedError"
    assert "user namespaces are denied or used up" in line["message"]
    assert "user.max_user_namespaces" in line["message"]


@pytest.mark.parametrize("tier", ["cooperative", "platform", "none"])
def test_the_tier_asked_for_is_never_below_the_minimum(run, tier):
    policy = run.folder / "policy.yaml"
    policy.write_text("apiVersion: qguard/v1\negress: {minimum_tier: netns}\n")
    if run.user == "ordinary" and os.geteuid() == 0:
        os.chown(policy, NOBODY, NOBODY)
    (line,) = run("start_only", variables={"QGUARD_POLICY": str(policy), "QGUARD_TIER": tier})
    assert line["failed"] == "KernelRefusedError"
    assert "QGUARD_TIER" in line["message"]


class Allowed(http.server.BaseHTTPRequestHandler):
    """A host on the allowlist."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from outside")

    def log_message(self, *_):
        """Not to the test's output."""


@pytest.fixture
def allowed():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Allowed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_kernel_reaches_the_allowlist_and_nothing_else_also_after_the_gateway_was_killed(run, allowed):
    policy = run.folder / "policy.yaml"
    entry = f"{{host: 127.0.0.1, ports: [{allowed}], addresses: [127.0.0.1/32], plain: true, owner: o, reason: r}}"
    policy.write_text(f"apiVersion: qguard/v1\naudit: {{path: {run.folder}/trail}}\negress: {{allow: [{entry}]}}\n")
    if run.user == "ordinary" and os.geteuid() == 0:
        os.chown(policy, NOBODY, NOBODY)
    variables = {"QGUARD_POLICY": str(policy), "ALLOWED": f"http://127.0.0.1:{allowed}/"}
    said = steps(run("egress", stand_in=False, variables=variables))
    assert said["allowed"]["out"] == "200 OK from outside\n"
    assert said["refused"]["out"].startswith("403 ")
    assert "is not on the allowlist" in said["refused"]["out"]
    assert said["past"]["out"].startswith("403 "), "the listener inside, not the host outside"
    assert said["healed"]["out"] == "200 OK from outside\n"
    assert said["still_refused"]["out"].startswith("403 ")
    records = [
        json.loads(line) for file in (run.folder / "trail").rglob("*") if file.is_file() for line in lines_of(file)
    ]
    started = [record for record in records if str(record.get("type", "")).endswith(EventType.KERNEL_STARTED.value)]
    assert len(started) == 1
    assert started[0]["data"]["tier"] == "netns"


def lines_of(file):
    """Lines of a file that are JSON objects."""
    return [line for line in file.read_bytes().splitlines() if line.startswith(b"{")]
