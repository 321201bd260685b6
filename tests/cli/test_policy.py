"""``qguard policy`` and ``qguard init`` on the command line, and the help of every command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest
import yaml

from jupyter_qguard.audit import AuditEvent, AuditLog, Identity, IdentityKind
from jupyter_qguard.audit.event import EgressDecided
from jupyter_qguard.cli import group

HEAD = "apiVersion: qguard/v1\n"
ROOT = Path(__file__).parents[2]


def test_a_valid_policy_ends_with_0(run, work):
    (work / "p.yaml").write_text(HEAD + "scan: {output: block}\n")
    done = run("policy", "check", "p.yaml")
    assert (done.returncode, done.stdout) == (0, b"valid: p.yaml\n")
    report = json.loads(run("policy", "check", "p.yaml", "--format", "json").stdout)
    assert report["ok"] is True
    assert [source["name"] for source in report["sources"]] == ["p.yaml"]


def test_an_invalid_policy_ends_with_3_and_names_file_line_key_and_what_is_allowed(run, work):
    (work / "p.yaml").write_text(HEAD + "scan:\n  mode: enforce\n  sorce: block\n")
    done = run("policy", "check", "p.yaml")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"p.yaml:4" in done.stderr
    assert b"sorce" in done.stderr
    assert all(key in done.stderr for key in (b"mode", b"source", b"output", b"metadata", b"text_files"))
    failed = run("policy", "check", "p.yaml", "--format", "json")
    report = json.loads(failed.stdout)
    assert (failed.returncode, report["ok"]) == (3, False)
    (problem,) = report["problems"]
    assert (problem["file"], problem["line"]) == ("p.yaml", 4)
    assert "sorce" in problem["key"] + problem["message"]


@pytest.mark.parametrize(
    "text", ["", "[]\n", "{", HEAD + "scan: 1\n", HEAD + HEAD, "apiVersion: qguard/v9\n", HEAD + "a: &x [*x]\n", "\0"]
)
def test_whatever_is_no_policy_ends_with_3(run, work, text):
    (work / "p.yaml").write_text(text)
    done = run("policy", "check", "p.yaml")
    assert done.returncode == 3
    assert b"p.yaml" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_invalid_policy_in_force_stops_every_command(run, work):
    (work / "p.yaml").write_text(HEAD + "scann: {}\n")
    (work / "a.py").write_text("x = 1\n")
    environment = {"QGUARD_POLICY": str(work / "p.yaml")}
    for arguments in (("policy", "check"), ("policy", "explain"), ("scan", "."), ("redact", "a.py"), ("audit", "show")):
        done = run(*arguments, environment=environment)
        assert (done.returncode, done.stdout) == (3, b""), arguments
        assert b"scann" in done.stderr


def test_explain_says_what_happens_and_which_file_says_so(run, work):
    (work / "p.yaml").write_text(HEAD + "scan: {output: block}\n")
    environment = {"QGUARD_POLICY": str(work / "p.yaml")}
    whole = run("policy", "explain", environment=environment)
    assert whole.returncode == 0
    assert b"p.yaml (yours)" in whole.stdout
    assert b"scan" in whole.stdout
    one = run("policy", "explain", "a/b.ipynb", "--format", "json", environment=environment)
    assert any("refuses the save" in each["message"] for each in json.loads(one.stdout)["statements"])
    assert b"built in" in run("policy", "explain").stdout


def test_explain_names_the_line_that_decides_a_connection(run, work):
    lines = ["egress:", "  allow:", "    - {host: index.example.org}", "  deny:", "    - {host: bad.example.org}", ""]
    (work / "p.yaml").write_text(HEAD + "\n".join(lines))
    first = len(HEAD.splitlines()) + 3
    environment = {"QGUARD_POLICY": str(work / "p.yaml")}
    allowed = run("policy", "explain", "https://index.example.org/simple", environment=environment).stdout.decode()
    assert "would be allowed" in allowed
    assert f"p.yaml:{first}" in allowed
    refused = run("policy", "explain", "bad.example.org", environment=environment).stdout.decode()
    assert "would be refused" in refused
    assert f"p.yaml:{first + 2}" in refused
    assert b"not on the allowlist" in run("policy", "explain", "other.example:8080", environment=environment).stdout


def test_the_schema_is_one_and_takes_what_check_takes(run, work):
    done = run("policy", "schema")
    schema = json.loads(done.stdout)
    assert done.returncode == 0
    jsonschema.validators.validator_for(schema).check_schema(schema)
    assert run("init", "--vendor", "ionq", "-o", "policy.yaml").returncode == 0
    document = yaml.safe_load((work / "policy.yaml").read_text())
    document["access"][0]["expires"] = str(document["access"][0]["expires"])
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "scann": {}}, schema)


def test_init_asks_for_what_is_not_given(run):
    answers = (
        ("apart by commas", "ionq, iqm"),
        ("Environment of the keys", "test"),
        ("Where the keys are kept", "keyring"),
    )
    code, shown = run.on_terminal("init", answers=answers)
    path = run.config / "jupyter-qguard" / "policy.yaml"
    assert code == 0, shown
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    policy = yaml.safe_load(path.read_text())
    assert [entry["name"] for entry in policy["access"]] == ["ionq/test", "iqm/test"]
    assert policy["access"][0]["secret"] == "keyring://qguard/ionq"
    assert run("policy", "check").returncode == 0
    assert b"(yours)" in run("policy", "check").stdout


def test_init_asks_again_for_what_it_does_not_know(run):
    answers = (
        ("apart by commas", "ionq"),
        ("Environment of the keys", "moon"),
        ("Environment of the keys", "dev"),
        ("Where the keys are kept", ""),
    )
    code, shown = run.on_terminal("init", "-o", "p.yaml", answers=answers)
    assert code == 0, shown
    assert "moon" in shown


def test_init_without_a_terminal_asks_nothing_and_replaces_nothing_unasked(run, work):
    assert run("init", "-o", "p.yaml").returncode == 0
    before = (work / "p.yaml").read_text()
    assert "access" not in yaml.safe_load(before)
    done = run("init", "-o", "p.yaml", "--vendor", "ionq")
    assert done.returncode == 2
    assert (work / "p.yaml").read_text() == before
    assert run("init", "-o", "p.yaml", "--vendor", "ionq", "--force").returncode == 0
    assert "ionq" in (work / "p.yaml").read_text()
    unknown = run("init", "-o", "q.yaml", "--vendor", "acme")
    assert unknown.returncode == 2
    assert b"ibm_quantum" in unknown.stderr
    assert not (work / "q.yaml").exists()


@pytest.mark.parametrize(
    ("index", "hosts"),
    [
        ("https://user:word@index.example.org:8443/simple", ["index.example.org"]),
        ("https://10.1.2.3/simple", []),
        ("https://[::1]/simple", []),
        ("https://localhost/simple", []),
    ],
)
def test_init_knows_the_index_that_pip_is_set_to(run, work, index, hosts):
    done = run("init", "-o", "p.yaml", environment={"PIP_INDEX_URL": index})
    assert done.returncode == 0, done.stderr
    text = (work / "p.yaml").read_text()
    assert [entry["host"] for entry in yaml.safe_load(text)["egress"].get("allow", [])] == hosts
    assert "word" not in text


def commands(command: click.Command, *names: str):
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), *names, name)


ALL = dict(commands(group))


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_has_help_with_examples_that_name_it(names):
    command = ALL[names]
    text = command.get_help(click.Context(command, info_name=" ".join(("qguard", *names))))
    examples = text.partition("Example")[2]
    assert " ".join(("qguard", *names)) in examples
    assert command.help
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help and each.name != "form"] == []


def test_the_commands_are_those_of_the_contract():
    commands = {"allow", "audit", "doctor", "init", "leases", "policy", "redact", "scan", "vault"}
    assert set(ALL[()].list_commands(click.Context(group))) == commands
    assert {names for names in ALL if len(names) == 2} == {
        *(("leases", name) for name in ("list", "revoke")),
        *(("vault", name) for name in ("add", "list", "remove", "show", "status")),
        *(("audit", name) for name in ("show", "verify", "export")),
        *(("policy", name) for name in ("check", "explain", "test", "suggest", "schema")),
    }


@pytest.mark.parametrize("arguments", [("nonsense",), ("scan",), ("scan", "--nonsense"), ("audit",), ()])
def test_wrong_usage_ends_with_2_and_says_so(run, arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert b"Usage" in done.stderr + done.stdout


@pytest.mark.e2e
def test_jupyter_finds_the_command(run):
    program = Path(sys.executable).with_name("jupyter")
    environment = run.environment | {"PATH": f"{program.parent}:{run.environment['PATH']}"}
    done = subprocess.run([program, "qguard", "--version"], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"qguard, version ")


def test_an_internal_error_ends_with_70_and_tells_nothing_of_the_data(run, work):
    (work / "a.py").write_text("x = 1\n")
    program = (
        "import sys; from jupyter_qguard.cli import scan, main; from jupyter_qguard.scan import Scanner\n"
        "def fail(*a, **k): raise ZeroDivisionError('the-data')\n"
        "Scanner.load = fail; sys.argv = ['qguard', 'scan', 'a.py']; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=work,
        env=run.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 70
    assert b"internal error (ZeroDivisionError)" in done.stderr
    assert b"the-data" not in done.stderr + done.stdout


EXPECTATIONS = """\
apiVersion: qguard/v1
connections:
  - {to: "https://index.example.org", expect: allow}
  - {to: pastebin.com, expect: EXPECTED, because: a way out}
saves:
  - {path: vqe.ipynb, finding: ionq-api-key, expect: block}
"""


def test_a_policy_that_meets_its_expectations_ends_with_0_and_one_that_does_not_with_1(run, work):
    (work / "p.yaml").write_text(HEAD + "egress: {mode: enforce, allow: [{host: index.example.org}]}\n")
    for expected, code in (("refuse", 0), ("allow", 1)):
        (work / "e.yaml").write_text(EXPECTATIONS.replace("EXPECTED", expected))
        done = run("policy", "test", "--policy", "p.yaml", "e.yaml")
        report = json.loads(run("policy", "test", "--policy", "p.yaml", "--format", "json", "e.yaml").stdout)
        assert (done.returncode, report["ok"]) == (code, code == 0)
        assert len(report["outcomes"]) == 3
    assert b"FAIL  e.yaml:4: a connection to pastebin.com on port 443" in done.stdout
    assert b"a way out" in done.stdout
    assert b"2 of 3 hold" in done.stdout


def test_expectations_that_cannot_be_read_are_told(run, work):
    assert run("policy", "test", "missing.yaml").returncode == 4
    (work / "e.yaml").write_text(HEAD + "connection: []\n")
    done = run("policy", "test", "e.yaml")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"e.yaml:2" in done.stderr


def test_refused_connections_of_the_trail_become_entries_and_that_somebody_looked_is_recorded(run):
    identity = Identity(kind=IdentityKind.PERSON, user="ada", source="gateway")
    folder = run.state / "jupyter-qguard" / "audit"
    log = AuditLog.open(folder, identity, key_path=run.state / "jupyter-qguard" / "audit.key")
    for host, action, would, count in (
        ("data.example.org", "refuse", "", 2),
        ("data.example.org", "allow", "refuse", 2),
        ("index.example.org", "allow", "", 1),
        ("169.254.169.254", "refuse", "", 1),
    ):
        data = EgressDecided(action=action, would=would, host=host, port=443, count=count)
        log.append(AuditEvent(data=data, notebook="work/vqe.ipynb"))
    log.append(
        AuditEvent(data=EgressDecided(action="refuse", host="data.example.org", port=0), notebook="work/vqe.ipynb")
    )
    log.close()
    done = run("policy", "suggest")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "data.example.org:443: 5 times" in text
    assert "by work/vqe.ipynb" in text
    assert [entry["host"] for entry in yaml.safe_load(text)["egress"]["allow"]] == ["data.example.org"]
    assert "index.example.org" not in text
    advice = {
        each["host"]: each["advice"]
        for each in json.loads(run("policy", "suggest", "--format", "json").stdout)["suggestions"]
    }
    assert advice == {"data.example.org": "allow", "169.254.169.254": "nothing"}
    assert b"audit.read" in run("audit", "show").stdout
