"""``qguard scan`` and ``qguard redact`` as a user runs them."""

from __future__ import annotations

import json
import string
import subprocess
from random import Random

import pytest


def value(seed: int) -> str:
    return "".join(Random(seed).choices(string.ascii_letters + string.digits, k=40))


@pytest.fixture
def leak(work):
    secret = value(1)
    cell = {"cell_type": "code", "id": "a1", "metadata": {}, "outputs": [], "execution_count": None}
    cell["source"] = ["import lab\n", f'lab.connect(api_key="{secret}")\n']
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (work / "leak.ipynb").write_text(json.dumps(document, indent=1) + "\n")
    return secret


def test_findings_end_with_1_and_show_no_secret(run, leak):
    done = run("scan", ".")
    assert done.returncode == 1
    assert b"cell 1 [a1] source line 2" in done.stdout
    assert leak.encode() not in done.stdout + done.stderr


def test_nothing_found_ends_with_0(run, work):
    (work / "a.py").write_text("print(1)\n")
    assert run("scan", ".").returncode == 0


def test_json_is_as_the_contract_says(run, leak):
    report = json.loads(run("scan", ".", "--format", "json").stdout)
    (finding,) = report["findings"]
    assert (report["version"], report["files"], report["errors"]) == (1, 1, [])
    assert finding["pointer"] == "/cells/0/source"
    assert finding["cell"] == {"index": 0, "id": "a1", "type": "code"}
    assert [finding["spans"], finding["classification"]] == [[[32, 72]], "restricted"]
    assert leak not in json.dumps(report)


def test_sarif_names_the_line_of_the_raw_file(run, leak, work):
    run_ = json.loads(run("scan", ".", "--format", "sarif").stdout)["runs"][0]
    (result,) = run_["results"]
    line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert leak in (work / "leak.ipynb").read_text().splitlines()[line - 1]


def test_a_malformed_notebook_is_an_error_and_the_scan_goes_on(run, work):
    (work / "bad.ipynb").write_text('{"cells": [')
    (work / "good.py").write_text("print(1)\n")
    done = run("scan", ".", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 4
    assert [error["path"] for error in report["errors"]] == ["bad.ipynb"]
    assert report["files"] == 2


@pytest.mark.usefixtures("leak")
def test_gitignore_is_respected_and_can_be_overruled(run, work):
    (work / ".gitignore").write_text("*.ipynb\n")
    assert run("scan", ".").returncode == 0
    assert run("scan", ".", "--no-gitignore").returncode == 1


def test_a_baseline_accepts_what_is_there_and_nothing_new(run, leak, work):
    assert run("scan", "leak.ipynb", "--update-baseline", "b.json").returncode == 0
    assert leak not in (work / "b.json").read_text()
    assert run("scan", "leak.ipynb", "--baseline", "b.json").returncode == 0
    (work / "new.py").write_text(f'api_key = "{value(2)}"\n')
    assert run("scan", ".", "--baseline", "b.json").returncode == 1


@pytest.mark.usefixtures("leak")
def test_a_broken_baseline_is_a_usage_error(run, work):
    (work / "b.json").write_text("{}")
    assert run("scan", ".", "--baseline", "b.json").returncode == 2


def test_standard_input_is_scanned(run):
    assert run("scan", "-", stdin=f"api_key={value(3)}\n".encode()).returncode == 1


def test_an_unknown_path_is_a_usage_error(run):
    done = run("scan", "nowhere")
    assert done.returncode == 2
    assert b"nowhere" in done.stderr


@pytest.mark.usefixtures("leak")
def test_an_invalid_policy_stops_everything(run, work):
    (work / "p.yaml").write_text("apiVersion: qguard/v1\nscann: {}\n")
    done = run("scan", ".", "--policy", "p.yaml")
    assert done.returncode == 3
    assert b"scann" in done.stderr
    assert not done.stdout


def test_redact_leaves_all_else_equal(run, leak, work):
    done = run("redact", "leak.ipynb", "-o", "clean.ipynb")
    before, after = ((work / name).read_text() for name in ("leak.ipynb", "clean.ipynb"))
    assert done.returncode == 1
    assert after.replace("[redacted:generic-credential]", leak) == before
    assert run("redact", "clean.ipynb").returncode == 0


def test_redact_filters_a_stream(run):
    secret = value(4)
    done = run("redact", "-", stdin=f"start\napi_key={secret}\rend".encode())
    assert done.stdout == b"start\napi_key=[redacted:generic-credential]\rend"


def test_redact_writes_nothing_for_what_it_cannot_read(run, work):
    (work / "bad.ipynb").write_text("{")
    assert run("redact", "bad.ipynb", "-o", "out.ipynb").returncode == 4
    assert not (work / "out.ipynb").exists()


@pytest.mark.usefixtures("leak")
def test_history_is_scanned(run, work):
    git = ["git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@t.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "leak.ipynb"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    (work / "leak.ipynb").write_text("{}")
    subprocess.run([*git, "commit", "-qam", "two"], check=True)
    report = json.loads(run("scan", ".", "--git-history", "--format", "json").stdout)
    assert [finding["path"] for finding in report["findings"]] == ["leak.ipynb"]
    assert report["findings"][0]["commit"]


def test_init_writes_a_policy_that_holds(run):
    assert run("init", "--vendor", "ionq", "-o", "policy.yaml").returncode == 0
    assert run("policy", "check", "policy.yaml").returncode == 0
    assert run("init", "-o", "policy.yaml").returncode == 2
