"""The hooks that this repository offers, as pre-commit builds and runs them in another repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.planted import as_file, code, in_source, make_secret, notebook

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.long]  # builds an environment: a minute


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where pre-commit keeps the environment that it builds, once for all tests here."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def try_repo(tmp_path, home):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    def try_repo(hook: str, **files: str) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        subprocess.run(["git", "-C", str(tmp_path), "add", "-A"], check=True)
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), hook, "--all-files", "--verbose"],
            cwd=tmp_path,
            env=kept | {"PRE_COMMIT_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )

    return try_repo


def test_a_commit_with_a_secret_is_stopped_and_one_without_is_not(try_repo):
    secret = make_secret("pre-commit")
    stopped = try_repo("qguard-scan", a_ipynb=as_file(in_source(secret)), b_py="x = 1\n")
    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    assert "a.ipynb" in stopped.stdout
    assert "cell 1 [cell-0] source line 2" in stopped.stdout
    assert secret not in stopped.stdout + stopped.stderr
    passed = try_repo("qguard-scan", a_ipynb=as_file(notebook(code("x = 1"))))
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_an_invalid_policy_is_stopped(try_repo):
    stopped = try_repo("qguard-policy-check", policy_yaml="apiVersion: qguard/v1\nscann: {}\n")
    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    assert "scann" in stopped.stdout
    assert try_repo("qguard-policy-check", policy_yaml="apiVersion: qguard/v1\n").returncode == 0
