"""Reports that other programs read: SARIF by the validator of its authors, annotations by the rules of their escapes."""

from __future__ import annotations

import json
import platform
import sys

import pytest

from tests.sarif.validator import set_up, validate
from tests.server.planted import as_file, code, in_source, line, make_secret, notebook, old_notebook, stream

HAS_VALIDATOR = sys.platform == "linux" and platform.machine() == "x86_64"
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def multitool():
    if not HAS_VALIDATOR:
        pytest.skip("Microsoft publishes the validator for this machine as .NET source only")
    return set_up()


@pytest.fixture
def files(work):
    """Findings of every kind: in cells with and without id, metadata, keys, texts, links; suppressed ones; errors."""
    (work / "a.ipynb").write_text(as_file(in_source(make_secret(1))))
    output = code("print(environment)", stream(line(make_secret(2))), number=1)
    del output["id"]
    (work / "b ü%#[1].ipynb").write_text(as_file(notebook(output, lab={"QISKIT_IBM_TOKEN": make_secret(3)})))
    (work / "c.ipynb").write_text(as_file(old_notebook(make_secret(4))))
    (work / "sub").mkdir()
    (work / "sub" / "d.log").write_text("\n\n" + line(make_secret(5)))
    (work / "e.py").write_text(f'api_key = "{make_secret(6)}"  # qguard: allow[*] revoked "yesterday"\n')
    (work / "f.py").write_text(f'api_key = "{make_secret(7)}"  # pragma: allowlist secret\n')
    (work / "bad.ipynb").write_text("{")
    return work


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("arguments", [(".",), (".", "--fail-on", "critical"), ("e.py",), ("bad.ipynb",)])
def test_sarif_is_valid(run, multitool, work, arguments):
    run("scan", *arguments, "--format", "sarif", "-o", "report.sarif")
    verdict = validate(work / "report.sarif", multitool)
    assert verdict.valid, verdict.text


def test_sarif_of_absolute_paths_is_valid(run, multitool, files):
    run("scan", str(files), "--format", "sarif", "-o", "report.sarif")
    verdict = validate(files / "report.sarif", multitool)
    assert verdict.valid, verdict.text


@pytest.mark.parametrize("spoil", ["version", "level", "line", "uri", "index"])
def test_the_validator_can_fail(run, multitool, files, spoil):
    run("scan", ".", "--format", "sarif", "-o", "report.sarif")
    report = json.loads((files / "report.sarif").read_text())
    result = report["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    if spoil == "version":
        report["version"] = "2.0.0"
    elif spoil == "level":
        result["level"] = "awful"
    elif spoil == "line":
        place["region"]["startLine"] = 0
    elif spoil == "uri":
        place["artifactLocation"]["uri"] = "a b.ipynb"
    else:
        result["ruleIndex"] = 99
    (files / "report.sarif").write_text(json.dumps(report))
    assert not validate(files / "report.sarif", multitool).valid


def test_sarif_says_where_in_the_notebook_and_what_is_suppressed(run, files):
    (sarif,) = json.loads(run("scan", ".", "--format", "sarif").stdout)["runs"]
    by_uri = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: each for each in sarif["results"]}
    assert set(by_uri) == {"a.ipynb", "b%20%C3%BC%25%23%5B1%5D.ipynb", "c.ipynb", "sub/d.log", "e.py", "f.py"}
    (logical,) = by_uri["a.ipynb"]["locations"][0]["logicalLocations"]
    assert logical["fullyQualifiedName"] == "a.ipynb#cell=cell-0/source:L2"
    start = by_uri["a.ipynb"]["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert make_secret(1) in (files / "a.ipynb").read_text().splitlines()[start - 1]
    assert by_uri["sub/d.log"]["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
    assert by_uri["e.py"]["suppressions"] == [{"kind": "inSource", "justification": 'revoked "yesterday"'}]
    assert "suppressions" not in by_uri["sub/d.log"]
    (told,) = sarif["invocations"][0]["toolExecutionNotifications"]
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "bad.ipynb"


def test_the_fingerprints_of_sarif_say_nothing_of_the_secret_and_outlive_a_moved_cell(run, work):
    def fingerprints(seed, *before):
        (work / "a.ipynb").write_text(as_file(notebook(*before, *in_source(make_secret(seed))["cells"])))
        (sarif,) = json.loads(run("scan", "a.ipynb", "--format", "sarif").stdout)["runs"]
        return [result["partialFingerprints"] for result in sarif["results"]]

    assert fingerprints(1) == fingerprints(2) == fingerprints(1, code("x = 1", number=9))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_no_report_holds_a_secret(run, form):
    done = run("scan", ".", "--format", form)
    body = (done.stdout + done.stderr).decode()
    for seed in range(1, 8):
        secret = make_secret(seed)
        assert not any(secret[at : at + 5] in body for at in range(len(secret) - 4))


def test_annotations_escape_what_would_end_or_forge_a_command(run, work):
    name = "a,b:c%d\n::error::x.py"
    (work / name).write_text(f'api_key = "{make_secret(1)}"\n')
    done = run("scan", ".", "--format", "github")
    (command,) = done.stdout.decode().splitlines()
    head, _, text = command.removeprefix("::").partition("::")
    assert head.startswith("error file=a%2Cb%3Ac%25d%0A%3A%3Aerror%3A%3Ax.py,line=1,title=")
    assert head.count(",") == 2
    assert text
    (work / "bad.ipynb").write_text("{")
    commands = run("scan", "bad.ipynb", "--format", "github").stdout.decode().splitlines()
    assert [command.split("::")[1] for command in commands] == ["warning file=bad.ipynb"]
