"""Which folders a kernel gets on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_qguard.policy.model import AuditPolicy, Policy
from jupyter_qguard.sandbox.layout import make_layout, prefixes, repositories


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    return home / "work"


def layout(workspace, **changed):
    given = {
        "workspace": workspace,
        "connection_dir": workspace / "c",
        "resolv_conf": workspace / "r",
        "program": "python3",
        "shown": (),
        "policy": Policy(),
    }
    return make_layout(**{**given, **changed})


def test_the_guards_own_folders_are_hidden(workspace, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    hidden = layout(workspace, policy=Policy(audit=AuditPolicy(path="/var/trail"))).hidden
    assert {tmp_path / "state" / "jupyter-qguard", tmp_path / "runtime", Path("/var/trail")} <= set(hidden)


def test_where_the_workspace_is_the_home_folder_its_settings_are_not_entries(workspace):
    home = workspace.parent
    (home / ".bashrc").touch()
    (home / "data.csv").touch()
    assert set(layout(home).home_entries) == {workspace, home / "data.csv"}
    assert layout(workspace).home_entries == ()


def test_a_script_of_the_workspace_does_not_make_the_workspace_read_only(workspace):
    script = workspace / "bin" / "kernel"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert workspace not in prefixes(str(script))


def test_an_environment_is_one_wherever_it_lies(workspace):
    python = workspace / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (workspace / "env" / "pyvenv.cfg").touch()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    assert workspace / "env" in prefixes(str(python))


def test_repositories_are_found_but_not_for_ever(workspace):
    for name in ("a/.git", "a/b/.git", "node_modules/c/.git", "1/2/3/4/.git"):
        (workspace / name).mkdir(parents=True)
    assert set(repositories(workspace)) == {workspace / "a", workspace / "a" / "b"}
