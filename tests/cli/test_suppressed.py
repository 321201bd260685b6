"""Every suppression is counted in every form of the report."""

from __future__ import annotations

import json

import pytest

from tests.server.planted import as_file, call, code, in_source, line, make_secret, notebook, stream

pytestmark = pytest.mark.e2e


@pytest.fixture
def work_of_each_kind(run, work):
    """One finding suppressed by each form, one accepted in the baseline, one that counts, one label."""
    (work / "baseline.py").write_text(line(make_secret(1)))
    run("scan", "baseline.py", "--update-baseline", "known.json")
    (work / "inline.py").write_text(line(make_secret(2)).strip() + "  # qguard: allow[*] revoked\n")
    (work / "pragma.py").write_text(line(make_secret(3)).strip() + "  # pragma: allowlist secret\n")
    tagged, named = code(call(make_secret(4))), code(call(make_secret(5)), number=1)
    tagged["metadata"] = {"tags": ["qguard-allow"]}
    named["metadata"] = {"qguard": {"allow": ["*"], "reason": "a sample"}}
    (work / "cell.ipynb").write_text(as_file(notebook(tagged, named)))
    (work / "counts.ipynb").write_text(as_file(in_source(make_secret(6))))
    (work / "label.ipynb").write_text(as_file(notebook(code("", stream("amazon-braket-eu-north-1-" + "4" * 12)))))
    return work


def report(run, form):
    done = run("scan", ".", "--exclude", "known.json", "--baseline", "known.json", "--format", form)
    assert done.returncode == 1
    return done.stdout.decode()


@pytest.mark.usefixtures("work_of_each_kind")
def test_the_text_counts_them(run):
    summary = report(run, "text").splitlines()[-1]
    assert summary.endswith(": 1 finding, 5 suppressed (1 baseline, 2 cell, 1 inline, 1 pragma), 1 labelled")


@pytest.mark.usefixtures("work_of_each_kind")
def test_json_counts_them(run):
    told = json.loads(report(run, "json"))
    assert told["suppressed"] == {"inline": 1, "pragma": 1, "cell": 2, "baseline": 1}
    assert [finding["path"] for finding in told["findings"]] == ["counts.ipynb"]
    assert [label["rule_id"] for label in told["labels"]] == ["account_identifier"]


@pytest.mark.usefixtures("work_of_each_kind")
def test_sarif_marks_them_and_gives_their_reasons(run):
    (sarif,) = json.loads(report(run, "sarif"))["runs"]
    muted = [each["suppressions"] for each in sarif["results"] if "suppressions" in each]
    assert len(sarif["results"]) == 6
    assert sorted((kind["kind"], kind.get("justification", "")) for (kind,) in muted) == [
        ("external", ""),
        ("inSource", ""),
        ("inSource", "a sample"),
        ("inSource", "cell tag qguard-allow"),
        ("inSource", "revoked"),
    ]


@pytest.mark.usefixtures("work_of_each_kind")
def test_annotations_count_them(run):
    commands = report(run, "github").splitlines()
    assert [command.split("::")[1].split()[0] for command in commands] == ["error", "notice"]
    assert commands[-1] == "::notice title=qguard::5 suppressed (1 baseline, 2 cell, 1 inline, 1 pragma)"
