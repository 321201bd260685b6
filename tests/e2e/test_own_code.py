"""What a kernel left in the workspace is not run by the server, nor by the git that it starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nbformat
import pytest

from jupyter_qguard.server.own_code import keep_workspace_out, tame_git
from tests.server.harness import JupyterServer

pytestmark = pytest.mark.e2e


@pytest.fixture(params=[True, False], ids=["guarded", "stock"])
def server(request, tmp_path):
    """A server that works in its own root folder, and a template of a kernel there."""
    made = JupyterServer(tmp_path, guarded=request.param, policy="apiVersion: qguard/v1\n" if request.param else "")
    made.works_in = made.root
    made.environment["QGUARD_POLICY"] = str(made.policy_file)
    (made.root / "lab").mkdir()
    program = f"cycler.__init__.__globals__.os.system('touch {tmp_path}/ran')"
    (made.root / "lab/index.html.j2").write_text("{{ " + program + " }}")
    (made.root / "a.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    try:
        yield made.start()
    finally:
        made.stop()


def test_a_template_of_the_workspace_is_not_run_by_an_export(server: JupyterServer, tmp_path: Path) -> None:
    assert server.request("GET", "/nbconvert/html/a.ipynb").status == 200
    assert (tmp_path / "ran").exists() is not server.guarded
    assert ("Start it with `jupyter lab`" in server.log) is server.guarded


def test_the_workspace_is_taken_out_of_what_modules_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    other = ["/usr/lib/python3", str(inner), str(tmp_path.parent)]
    for first in ("", str(tmp_path), str(tmp_path / "link"), str(inner)):
        path = [first, *other]
        assert keep_workspace_out(path, str(tmp_path)), first
        assert path == other
    assert not keep_workspace_out(list(other), str(tmp_path))


def test_git_runs_no_program_of_a_repository_for_a_look_at_it(tmp_path: Path) -> None:
    repository, ran = tmp_path / "repository", tmp_path / "ran"
    git = ["git", "-C", str(repository)]
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / "a").write_text("a")
    subprocess.run([*git, "add", "a"], check=True)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    subprocess.run([*git, "config", "core.fsmonitor", str(program)], check=True)
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(program.read_text())
    hook.chmod(0o755)
    environment = dict(os.environ)
    tame_git(environment)
    (repository / "a").touch()
    subprocess.run([*git, "status"], check=True, env=environment, capture_output=True)
    assert not ran.exists()
    subprocess.run([*git, "status"], check=True, capture_output=True)
    assert ran.exists()


def test_what_git_was_told_by_variables_before_is_kept() -> None:
    environment = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada"}
    tame_git(environment)
    assert environment["GIT_CONFIG_KEY_0"] == "user.name"
    assert environment["GIT_CONFIG_COUNT"] == "3"
    assert environment["GIT_CONFIG_KEY_2"] == "safe.bareRepository"
