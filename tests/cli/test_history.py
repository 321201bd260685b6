"""``qguard scan --git-history``: merges, renames, what was deleted or packed, and what is no file at all."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.server.planted import line, make_secret

ME = [
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@t.example",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "protocol.file.allow=always",
]


@pytest.fixture
def git(work):
    def git(*arguments: str, date: str = "2026-01-01T00:00:00Z") -> str:
        environment = os.environ | {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *ME, *arguments], cwd=work, env=environment, capture_output=True, check=True)
        return done.stdout.decode().strip()

    git("init", "-q", "-b", "main")
    return git


@pytest.fixture
def commit(git, work):
    def commit(name: str, text: str | None, **options) -> str:
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        git("add", "-A", **options)
        git("commit", "-qm", f"change {name}", **options)
        return git("rev-parse", "HEAD")

    return commit


def history(run, *arguments: str) -> tuple[int, dict[str, str], dict]:
    """Exit code, the path of each finding with its commit, and the report."""
    done = run("scan", ".", "--git-history", "--format", "json", *arguments)
    assert done.stderr == b""
    report = json.loads(done.stdout)
    return done.returncode, {each["path"]: each["commit"] for each in report["findings"]}, report


def test_deleted_renamed_merged_packed_and_stashed_versions_are_scanned(run, git, commit, work):
    expected = {"gone.log": commit("gone.log", line(make_secret("gone")))}
    commit("gone.log", None)
    expected["old.log"] = commit("old.log", line(make_secret("renamed")))
    (work / "old.log").rename(work / "new.log")
    git("add", "-A")
    git("commit", "-qm", "rename")
    git("checkout", "-qb", "side")
    expected["side.log"] = commit("side.log", line(make_secret("side")))
    git("checkout", "-q", "main")
    commit("main.log", "x = 1\n")
    git("merge", "-q", "--no-commit", "--no-ff", "side")
    (work / "evil.log").write_text(line(make_secret("evil merge")))  # stands in no parent
    git("add", "-A")
    git("commit", "-qm", "merge")
    expected["evil.log"] = git("rev-parse", "HEAD")
    commit("main.log", line(make_secret("stash")))
    expected["main.log"] = git("rev-parse", "HEAD")
    git("reset", "-q", "--soft", "HEAD~1")
    git("stash", "-q")
    git("reflog", "expire", "--expire=now", "refs/heads/main", "HEAD")
    git("gc", "-q", "--prune=now")
    git("pack-refs", "--all")
    code, found, report = history(run)
    assert code == 1
    assert set(found) == set(expected)
    assert {name: found[name] for name in expected if name != "main.log"} == {
        name: expected[name] for name in expected if name != "main.log"
    }
    assert report["errors"] == []


def test_odd_names_links_and_submodules_do_not_stop_it(run, git, commit, work, tmp_path):
    secrets = {":100644 x.log": 1, "a" * 40: 2, "line\nend.log": 3, "-n.log": 4, "ü 量.log": 5}
    for name, seed in secrets.items():
        commit(name, line(make_secret(f"odd {seed}")))
    (work / "link").symlink_to("nowhere")
    git("add", "-A")
    git("commit", "-qm", "link")
    (work / "link").unlink()
    commit("link", line(make_secret("was a link")))
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    subprocess.run(["git", "-C", str(other), *ME, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    git("submodule", "--quiet", "add", str(other), "sub")
    git("commit", "-qm", "submodule")
    code, found, report = history(run)
    assert code == 1
    assert set(found) == {*secrets, "link"}
    assert report["errors"] == []


def test_a_users_own_settings_of_git_change_nothing(run, commit, work):
    commit("a.log", line(make_secret("settings")))
    home = work.parent / "work-home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[log]\n\tshowRoot = false\n\tshowSignature = true\n\tfollow = true\n[color]\n\tui = always\n[core]\n\tquotePath = true\n"
        "[diff]\n\tnoprefix = true\n\trenames = copies\n[format]\n\tpretty = oneline\n"
    )
    assert set(history(run)[1]) == {"a.log"}


def test_only_commits_after_a_date(run, commit):
    commit("old.log", line(make_secret("then")), date="2020-01-01T00:00:00Z")
    commit("new.log", line(make_secret("now")), date="2026-06-01T00:00:00Z")
    assert set(history(run, "--since", "2025-01-01")[1]) == {"new.log"}


def test_a_version_that_this_clone_lacks_is_an_error(run, commit, git, work):
    commit("a.log", "x = 1\n")
    blob = git("rev-parse", "HEAD:a.log")
    (work / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    code, _, report = history(run)
    assert code == 4
    assert [error["path"] for error in report["errors"]] == ["a.log"]


@pytest.mark.parametrize("form", ["text", "sarif", "github"])
def test_other_reports_name_the_place_too(run, commit, form):
    head = commit("a.log", line(make_secret("forms")))
    out = run("scan", ".", "--git-history", "--format", form)
    assert out.returncode == 1
    assert b"a.log" in out.stdout
    assert head[:12].encode() in out.stdout or form != "text"


def test_where_there_is_no_repository_that_is_a_usage_error(run, work):
    (work / "a.log").write_text("x\n")
    done = run("scan", ".", "--git-history", environment={"GIT_CEILING_DIRECTORIES": str(work.parent)})
    assert done.returncode == 2
    assert b"no git repository" in done.stderr
    assert run("scan", ".", "--git-history", environment={"PATH": "/nowhere"}).returncode == 2
