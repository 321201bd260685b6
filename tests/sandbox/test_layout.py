"""Which folders a kernel gets on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_qguard.policy.model import AuditPolicy, Policy
from jupyter_qguard.policy.vaults import BaoVault, VaultsPolicy
from jupyter_qguard.sandbox.layout import library_of, make_layout, prefixes
from jupyter_qguard.sandbox.workspace import repositories


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


def test_what_signs_in_at_a_vault_is_hidden_with_its_folder_unless_others_need_that(workspace):
    vaults = VaultsPolicy(
        openbao=BaoVault(file="/etc/qguard-bao/secret-id"),
        vault=BaoVault(file="/etc/token"),
        others={"example": {"token_file": str(workspace.parent / "token"), "url": "https://example.org"}},
    )
    hidden = set(layout(workspace, policy=Policy(vaults=vaults)).hidden)
    assert {Path("/etc/qguard-bao"), Path("/etc/token"), workspace.parent / "token"} <= hidden
    assert not hidden & {Path("/etc"), workspace.parent, workspace}


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


def test_repositories_are_found_wherever_they_are_and_but_not_for_ever(workspace):
    for name in ("a/.git", "a/b/.git", "node_modules/c/.git", "1/2/3/4/5/.git"):
        (workspace / name).mkdir(parents=True)
    (workspace / "tree").mkdir()
    (workspace / "tree/.git").write_text("gitdir: ../a/.git/worktrees/tree\n")
    assert set(repositories(workspace)) == {workspace / name for name in ("a", "a/b", "1/2/3/4/5", "tree")}


def test_many_new_repositories_take_no_protection_from_older_ones(workspace):
    (workspace / "z/.git").mkdir(parents=True)
    (workspace / "z/.git/description").touch()
    for number in range(60):
        (workspace / f"a{number}/.git").mkdir(parents=True)
        os.utime(workspace / f"a{number}/.git", (0, 0))
    found = repositories(workspace)
    assert workspace / "z" in found
    assert len(found) < 60


def test_of_the_home_folder_files_with_a_dot_are_seen_only_if_known(workspace):
    home = workspace.parent
    for name in (".bashrc", ".unknown", ".netrc", "data.csv"):
        (home / name).touch()
    for name in (".aws", ".tool", "folder"):
        (home / name).mkdir()
    (home / "link").symlink_to("folder")
    found = layout(workspace)
    assert {path.name for path in found.home_seen} >= {".bashrc", "data.csv", ".tool", "folder", "work"}
    assert {path.name for path in found.home_seen}.isdisjoint({".unknown", ".netrc", ".aws", "link"})
    assert found.home_links == ((home / "link", "folder"),)
    for number in range(100):
        (home / f"d{number}").mkdir()
    assert layout(workspace).home_seen is None, "bubblewrap takes too long for so many mounts"


def test_what_variables_lead_to_is_hidden_and_what_programs_come_from_is_read_only(workspace, monkeypatch, tmp_path):
    (workspace / "tools").mkdir()
    monkeypatch.setenv("PATH", f"/usr/bin:{workspace}:{workspace / 'tools'}:{workspace / 'missing'}:tools")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'k1'}:{tmp_path / 'k2'}")
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(workspace.parent))
    found = layout(workspace)
    assert workspace / "tools" in found.read_only
    assert workspace not in found.read_only
    assert {tmp_path / "k1", tmp_path / "k2"} <= set(found.hidden)
    assert workspace.parent not in found.hidden


@pytest.mark.parametrize(
    ("program", "links_to", "installed", "library"),
    [
        ("python", "python3.10", ("python3.9", "python3.10"), "python3.10"),
        ("python3.9", "", ("python3.9", "python3.10"), "python3.9"),
        ("python", "", ("python3.14",), "python3.14"),
        ("kernel", "", ("python3.9", "python3.10"), ""),
    ],
)
def test_packages_go_where_the_python_that_runs_looks_for_them(tmp_path, program, links_to, installed, library):
    (tmp_path / "bin").mkdir()
    for name in installed:
        (tmp_path / "lib" / name).mkdir(parents=True)
    path = tmp_path / "bin" / program
    real = path.with_name(links_to or program)
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    if links_to:
        path.symlink_to(links_to)
    assert library_of(str(path)) == (f"lib/{library}/site-packages" if library else "")
