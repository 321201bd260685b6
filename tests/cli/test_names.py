"""A secret in the name of a file or folder is found, and no report shows it."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.server.planted import make_secret


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize("kind", ["ghp_", "QISKIT_IBM_TOKEN="])
@pytest.mark.parametrize("ending", ["", ".txt", ".ipynb", ".tar.gz", "/notes.md"])
def test_a_secret_in_a_name_is_found_and_masked(run, work, form, kind, ending):
    secret = make_secret(f"named {kind}")[: 36 if kind == "ghp_" else 44]
    path = work / "some folder" / f"{kind}{secret}{ending}"
    path.parent.mkdir(parents=True)
    path.write_text("words\n")
    done = run("scan", ".", "--format", form)
    assert done.returncode == 1
    assert b"redacted" in done.stdout
    assert secret.encode() not in done.stdout + done.stderr


def test_a_secret_in_a_name_of_the_history_is_found_and_masked(run, work):
    secret = f"ghp_{make_secret('in the history')[:36]}"
    (work / secret).write_text("words\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "m"]):
        subprocess.run([*git, *command], cwd=work, check=True)
    done = run("scan", ".", "--git-history", "--format", "json")
    assert done.returncode == 1
    assert secret.encode() not in done.stdout + done.stderr


def test_a_secret_in_a_binary_file_is_found_and_the_file_counts_as_binary(run, work):
    (work / "data.bin").write_bytes(bytes(range(256)) * 40 + f"ghp_{make_secret('binary')[:36]}".encode() + b"\0" * 99)
    (work / "clean.bin").write_bytes(bytes(range(256)) * 40)
    done = run("scan", ".", "--format", "json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert [finding["path"] for finding in answer["findings"]] == ["data.bin"]
    assert answer["binary_files"] == 2
