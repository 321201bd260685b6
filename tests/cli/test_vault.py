"""``qguard vault``: keys go in, and come out of no command."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.secret.handle import HandleShape, make_handle
from jupyter_qguard.vault.contract import LABELS, canary
from jupyter_qguard.vault.local import LocalSource
from jupyter_qguard.vault.source import SourceSettings
from tests.vault.bao_server import BaoServer

POLICY = """
apiVersion: qguard/v1
access:
  - {name: ibm/dev, vendor: ibm_quantum, secret: "local://ibm", environment: dev, owner: quantum-platform,
     purpose: circuit development, expires: 2999-12-31}
"""
GOVERNED = ("--owner", "ada", "--purpose", "benchmarks", "--environment", "dev", "--expires", "2999-12-31")


@pytest.fixture
def run(run):
    run.environment["XDG_DATA_HOME"] = str(run.folder.parent / "data")
    run.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    return run


@pytest.fixture
def policy(run):
    """Writes the policy of the user."""

    def write(text: str = POLICY) -> None:
        file = run.config / "jupyter-qguard" / "policy.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return write


def vault_of(run) -> Path:
    return run.folder.parent / "data" / "jupyter-qguard" / "vault"


def stored(run, path: str) -> dict[str, str]:
    found = LocalSource(SourceSettings("local", vault_of(run))).read(path)
    return {name: value.reveal() for name, value in found.fields.items()}


def add(run, value: str, *arguments: str):
    return run("vault", "add", *(arguments or ("local://ibm",)), *GOVERNED, stdin=value.encode())


def status_of(run, *arguments: str) -> tuple[int, list[dict]]:
    answer = run("vault", "status", "--format", "json", *arguments)
    assert not answer.stderr, answer.stderr
    return answer.returncode, json.loads(answer.stdout)["secrets"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_value_from_standard_input_is_stored_without_its_line_end_and_shown_by_no_command(run, policy, end):
    policy()
    value = canary()
    answers = [
        add(run, value + end),
        run("vault", "list"),
        run("vault", "list", "--format", "json"),
        run("vault", "show", "local://ibm"),
        run("vault", "show", "local://ibm", "--format", "json"),
        run("vault", "status"),
    ]
    assert [each.returncode for each in answers] == [0] * 6
    assert stored(run, "ibm") == {"": value}
    assert not any(value.encode() in each.stdout + each.stderr for each in answers)
    assert b"local://ibm: stored" in answers[0].stdout
    assert b"ibm/dev" in answers[1].stdout
    assert json.loads(answers[4].stdout)["owner"] == "ada"


def test_a_value_typed_at_the_prompt_is_not_echoed(run, policy):
    policy()
    value = canary()
    code, shown = run.on_terminal("vault", "add", "local://ibm", *GOVERNED, answers=(("Value (not shown)", value),))
    assert code == 0, shown
    assert value not in shown
    assert stored(run, "ibm") == {"": value}


def test_a_value_as_an_argument_is_refused_and_not_repeated(run):
    value = canary()
    answer = run("vault", "add", "local://ibm", value, *GOVERNED)
    assert answer.returncode == 2
    assert b"a value is never an argument" in answer.stderr
    assert value.encode() not in answer.stderr
    assert not vault_of(run).exists()


@pytest.mark.parametrize(
    ("data", "code", "why"),
    [
        (b"", 4, b"no value was given"),
        (b" \n", 4, b"no value was given"),
        (b"a\0b", 4, b"NUL"),
        (b"\xff\xfe", 4, b"no UTF-8"),
        (b"x" * (1 << 17), 4, b"more than 64 KiB"),
        pytest.param(make_handle(HandleShape.TEXT).encode(), 4, b"handle or a mark", id="a handle"),
        (b"[redacted:jwt]", 4, b"handle or a mark"),
    ],
)
def test_what_cannot_be_a_key_is_not_stored(run, data, code, why):
    answer = run("vault", "add", "local://ibm", *GOVERNED, stdin=data)
    assert (answer.returncode, why in answer.stderr) == (code, True), answer.stderr
    assert not vault_of(run).exists()


@pytest.mark.parametrize(
    ("reference", "options", "why"),
    [
        ("ibm", (), b"not a secret reference"),
        ("openbao://a/b#c", ("--field", "d"), b"two fields"),
        ("local://a", ("--field", "../x"), b"--field"),
        ("openbao://secret/a", (), b"needs a field"),
        ("local://a", ("--owner", " "), b"--owner"),
        ("local://a", ("--expires", "2001-01-01"), b"is over"),
        ("local://a", ("--environment", "staging"), b"staging"),
        ("nowhere://a", (), b"not a secret reference"),
    ],
)
def test_wrong_usage_says_which_and_stores_nothing(run, reference, options, why):
    answer = run("vault", "add", reference, *GOVERNED, *options, stdin=b"never-stored-value")
    assert (answer.returncode, why in answer.stderr) == (2, True), answer.stderr
    assert not vault_of(run).exists()


def test_fields_of_one_secret_are_stored_one_by_one(run, policy):
    policy()
    first, second = canary(), canary()
    assert add(run, first, "local://aws", "--field", "access_key_id").returncode == 0
    answer = add(run, second, "local://aws", "--field", "secret_access_key")
    assert answer.returncode == 0
    assert b"No access entry of the policy names local://aws yet" in answer.stderr
    assert stored(run, "aws") == {"access_key_id": first, "secret_access_key": second}


def test_the_status_says_what_needs_somebody(run, policy):
    policy()
    code, (missing,) = status_of(run)
    assert (code, missing["state"], missing["entries"]) == (1, "missing", ["ibm/dev"])
    source = LocalSource(SourceSettings("local", vault_of(run)))
    today = dt.datetime.now(dt.timezone.utc).date()
    for name, labels in {
        "ibm": LABELS | {"environment": "prod"},
        "good": LABELS,
        "old": LABELS | {"expires": "2020-01-01"},
        "soon": LABELS | {"expires": str(today + dt.timedelta(days=10))},
        "unlabelled": {"owner": "ada"},
    }.items():
        source.write(name, "", SecretValue(canary()), labels)
    code, found = status_of(run)
    assert code == 1
    assert {each["reference"].partition("://")[2]: each["state"] for each in found} == {
        "ibm": "mismatched",
        "good": "ok",
        "old": "overdue",
        "soon": "expiring",
        "unlabelled": "missing",
    }
    assert all(each["detail"] for each in found if each["state"] != "ok")
    _, found = status_of(run, "--within", "9")
    assert {each["reference"]: each["state"] for each in found}["local://soon"] == "ok"


def test_a_vault_that_is_away_is_said_and_is_no_finding(run, policy):
    policy(POLICY.replace("local://ibm", "openbao://secret/ibm#key"))
    run.environment |= {"BAO_ADDR": "http://127.0.0.1:9", "BAO_TOKEN": "never-used"}
    code, (found,) = status_of(run)
    assert (code, found["state"]) == (4, "unreachable")
    assert "127.0.0.1" in found["detail"]
    answer = add(run, canary(), "openbao://secret/ibm#key")
    assert answer.returncode == 4
    assert b"Traceback" not in answer.stderr


def test_removing_asks_first_and_says_who_uses_it(run, policy):
    policy()
    add(run, canary())
    answer = run("vault", "remove", "local://ibm")
    assert (answer.returncode, b"--yes" in answer.stderr) == (2, True)
    code, shown = run.on_terminal("vault", "remove", "local://ibm", answers=(("Remove local://ibm", "n"),))
    assert (code, "ibm/dev" in shown) == (1, True)
    assert stored(run, "ibm")
    answer = run("vault", "remove", "openbao://secret/ibm#key", "--yes")
    assert (answer.returncode, b"all of its fields" in answer.stderr) == (2, True)
    assert run("vault", "remove", "local://ibm", "--yes").returncode == 0
    assert run("vault", "list").stdout == b"local://ibm  ibm/dev\n"
    assert run("vault", "remove", "local://ibm", "--yes").returncode == 4


def test_nothing_stored_says_what_to_do(run):
    answer = run("vault", "list")
    assert (answer.returncode, answer.stdout) == (0, b"")
    assert b"qguard vault add" in answer.stderr


def test_an_invalid_policy_ends_with_3_and_stores_nothing(run, policy):
    policy("apiVersion: qguard/v1\nnonsense: true\n")
    for arguments in (("list",), ("status",), ("show", "local://a"), ("remove", "local://a", "--yes")):
        assert run("vault", *arguments).returncode == 3
    assert add(run, canary()).returncode == 3
    assert not vault_of(run).exists()


@pytest.mark.e2e
def test_keys_are_stored_in_openbao_with_who_answers_for_them(run, tmp_path, policy):
    policy(POLICY.replace("local://ibm", "openbao://secret/ibm#key"))
    server, value = BaoServer(tmp_path), canary()
    try:
        run.environment |= {"BAO_ADDR": server.address, "BAO_TOKEN": server.token}
        answer = add(run, value, "openbao://secret/ibm#key")
        assert answer.returncode == 0, answer.stderr
        kept = server.root.secrets.kv.v2.read_secret_version("ibm", mount_point="secret", raise_on_deleted_version=True)
        assert kept["data"]["data"] == {"key": value}
        assert kept["data"]["metadata"]["custom_metadata"]["owner"] == "ada"
        code, (found,) = status_of(run)
        assert (code, found["state"], found["fields"]) == (0, "ok", ["key"])
        assert run("vault", "remove", "openbao://secret/ibm", "--yes").returncode == 0
        code, (found,) = status_of(run)
        assert (code, found["state"]) == (1, "missing")
        answers = run("vault", "list"), run("vault", "status")
        assert not any(value.encode() in each.stdout + each.stderr for each in (answer, *answers))
    finally:
        server.stop()
