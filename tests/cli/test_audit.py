"""``qguard audit`` as an auditor runs it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import stat

import pytest

from jupyter_qguard.audit import AuditEvent
from jupyter_qguard.audit.event import (
    AuditExported,
    AuditRead,
    JobSubmitted,
    KernelStarted,
    LeaseGranted,
    LeaseRevoked,
    OperationDecided,
    ResultRead,
)
from tests.audit.trails import SMALL, check, event, lay, make_trail, open_log, records_in, segments


@pytest.fixture
def trail(run):
    """The trail of the user's own guard, with 20 records."""
    folder = run.state / "jupyter-qguard" / "audit"
    log = open_log(folder, SMALL, key_path=folder.parent / "audit.key")
    for number in range(20):
        log.append(event(number))
    log.close()
    return folder


@pytest.fixture
def copy(tmp_path):
    """Somebody else's trail."""
    make_trail(tmp_path / "there" / "audit", 12)
    shutil.copytree(tmp_path / "there" / "audit", tmp_path / "evidence")
    return tmp_path / "evidence"


def looks(folder, kind) -> list[dict]:
    return [record for record in records_in(folder) if record["type"] == kind.type.value]


def test_show_prints_the_last_records_and_that_is_recorded(run, trail):
    done = run("audit", "show", "--last", "3", "--user", "ada")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.decode().splitlines()] == ["18", "19", "20"]
    (look,) = looks(trail, AuditRead)
    assert look["data"]["records"] == 3
    assert "user=ada" in look["data"]["filters"]
    assert (look["identitykind"], look["source"]) == ("person", "/qguard/cli")
    assert look["user"]
    assert check(trail).whole


def test_show_chooses_by_type_time_and_notebook(run, trail):
    run("audit", "show")
    shown = [
        json.loads(line)
        for line in run("audit", "show", "--type", "audit.read", "--format", "json").stdout.splitlines()
    ]
    assert [record["type"] for record in shown] == ["audit.read"]
    assert run("audit", "show", "--notebook", "other.ipynb").stdout == b""
    assert run("audit", "show", "--until", "2020").stdout == b""
    time = looks(trail, AuditRead)[0]["time"]
    assert len(run("audit", "show", "--until", time[:16], "--last", "500").stdout.splitlines()) >= 20
    assert len(run("audit", "show", "--since", f"{time[:16]}Z", "--type", "audit.read").stdout.splitlines()) >= 3


def lease(name):
    return LeaseGranted(
        lease=name, access="ibm/dev", vendor="ibm", custody="brokered", until="2027-01-01T00:00:00+00:00"
    )


def decided(does):
    return OperationDecided(action="allow", operation=does, vendor="ibm")


def test_a_job_leads_from_its_cell_to_its_results_of_another_day(run):
    folder = run.state / "jupyter-qguard" / "audit"
    way = [
        ("kernel-1", "", KernelStarted(kernelspec="python3", tier="netns")),
        ("kernel-1", "a", lease("one")),
        ("kernel-1", "b", decided("submit")),
        ("kernel-1", "b", JobSubmitted(vendor="ibm", job="job-1", lease="one")),
        ("kernel-2", "c", lease("two")),
        ("kernel-2", "d", ResultRead(vendor="ibm", job="job-1", lease="two")),
        ("kernel-1", "", LeaseRevoked(lease="one", reason="released")),
    ]
    beside = [
        ("kernel-3", "", KernelStarted(kernelspec="python3", tier="netns")),
        ("kernel-1", "e", lease("three")),
        ("kernel-1", "b", JobSubmitted(vendor="ibm", job="job-2", lease="one")),
        ("kernel-1", "f", decided("inspect")),
    ]
    log = open_log(folder, key_path=folder.parent / "audit.key")
    for kernel, trace, data in (*way, *beside):
        log.append(AuditEvent(data=data, kernel=kernel, correlationid=trace * 32))
    log.close()
    lines = run("audit", "show", "--job", "job-1", "--format", "json").stdout.splitlines()
    assert [json.loads(line)["type"] for line in lines] == [data.type.value for _, _, data in way]
    assert "job=job-1" in looks(folder, AuditRead)[0]["data"]["filters"]
    lines = run("audit", "show", "--correlation-id", "d" * 32, "--format", "json").stdout.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["result.read"]
    assert run("audit", "show", "--job", "job-9").stdout == b""


@pytest.mark.parametrize("time", ["yesterday", "2027-1-1", "2027-01-01 09:00", "2027-01-01T09:00+01:00"])
def test_a_time_that_no_record_can_have_is_a_usage_error(run, trail, time):
    done = run("audit", "show", "--since", time)
    assert done.returncode == 2
    assert b"--since" in done.stderr
    assert looks(trail, AuditRead) == []


def test_show_makes_a_table_on_a_terminal(run, trail):
    code, shown = run.on_terminal("audit", "show", "--last", "2")
    assert code == 0
    assert "override.granted" in shown.replace("\n", "")
    assert looks(trail, AuditRead)


def test_nothing_is_shown_that_cannot_be_recorded(run, trail):
    (trail.parent / "audit.key").chmod(0o644)
    for command in ("show", "export"):
        done = run("audit", command)
        assert done.returncode == 4
        assert done.stdout == b""
        assert b"others than its owner" in done.stderr


def test_a_look_at_a_copy_is_recorded_in_ones_own_trail(run, trail, copy):
    before = len(records_in(copy))
    assert run("audit", "show", "--path", str(copy)).returncode == 0
    assert len(records_in(copy)) == before
    (look,) = looks(trail, AuditRead)
    assert f"path={copy}" in look["data"]["filters"]


@pytest.mark.usefixtures("trail")
def test_a_hostile_trail_commands_no_terminal(run, copy):
    names = [path.name for path in segments(copy)]
    line = b'{"sequence":"1","time":"2027","type":"\\u001b[2J","user":"\\u009b1m","notebook":"a\\nb\\ud83d","data":{"x":"\\u001b]0;"}}\n'
    whole = line.replace(b"\\ud83d", b"\\u202e")
    (copy / names[0]).chmod(0o600)
    (copy / names[0]).write_bytes(line + whole)
    shown = run("audit", "show", "--path", str(copy), "--last", "500")
    as_json = run("audit", "show", "--path", str(copy), "--last", "500", "--format", "json")
    assert (shown.returncode, as_json.returncode) == (0, 0)
    for text in (shown.stdout.decode(), as_json.stdout.decode()):
        assert all(char.isprintable() or char == "\n" for char in text)
    assert all(json.loads(line) for line in as_json.stdout.splitlines())


def test_verify_ends_with_0_for_a_whole_trail_and_is_no_look(run, trail):
    done = run("audit", "verify")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == b"whole"
    report = json.loads(run("audit", "verify", "--format", "json").stdout)
    assert (report["whole"], report["records"], report["problems"]) == (True, 20, [])
    assert report["key"] == str(trail.parent / "audit.key")
    assert looks(trail, AuditRead) == []


def test_verify_ends_with_1_and_says_where(run, trail):
    path = segments(trail)[0]
    path.chmod(0o600)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b"test", b"text"), *lines[2:]]))
    done = run("audit", "verify")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == b"TAMPERED"
    assert f"{path.name}:2: record 2 was changed".encode() in done.stderr
    report = json.loads(run("audit", "verify", "--format", "json").stdout)
    assert (report["problems"][0]["file"], report["problems"][0]["line"]) == (path.name, 2)


def test_ones_own_trail_replaced_together_with_the_key_beside_it_is_caught(run, trail, copy):
    shutil.rmtree(trail)
    shutil.copytree(copy, trail)
    assert run("audit", "verify").returncode == 1
    assert run("audit", "verify", "--path", str(trail)).returncode == 1


def test_a_copy_is_verified_with_the_key_that_is_named_and_a_checkpoint_kept_elsewhere(run, copy, tmp_path):
    assert run("audit", "verify", "--path", str(copy)).returncode == 0
    key = str(tmp_path / "there" / "audit.key")
    assert run("audit", "verify", "--path", str(copy), "--key", key).returncode == 0
    make_trail(tmp_path / "other", 1)
    assert run("audit", "verify", "--path", str(copy), "--key", str(tmp_path / "other.key")).returncode == 1
    kept = tmp_path / "there" / "audit" / "checkpoints.jsonl"
    assert run("audit", "verify", "--path", str(copy), "--checkpoint", str(kept)).returncode == 0
    statements = (copy / "checkpoints.jsonl").read_bytes().splitlines(keepends=True)
    first = segments(copy)[0]
    lay(
        {
            "checkpoints.jsonl": statements[0],
            "checkpoint.pub": (copy / "checkpoint.pub").read_bytes(),
            first.name: b"".join(first.read_bytes().splitlines(keepends=True)[:3]),
        },
        tmp_path / "cut",
    )
    assert run("audit", "verify", "--path", str(tmp_path / "cut")).returncode == 0
    done = run("audit", "verify", "--path", str(tmp_path / "cut"), "--checkpoint", str(kept))
    assert done.returncode == 1
    assert b"truncated" in done.stderr


@pytest.mark.usefixtures("trail")
def test_what_is_no_trail_key_or_checkpoint_is_unreadable_input(run, work):
    (work / "x").write_text("x")
    assert run("audit", "verify", "--path", "nowhere").returncode == 4
    assert run("audit", "verify", "--key", "x").returncode == 4
    assert run("audit", "verify", "--checkpoint", "x").returncode == 4
    assert run("audit", "verify", "--key", "nowhere").returncode == 2
    assert run("audit", "show", "--type", "no.such").returncode == 2


def test_an_invalid_policy_stops_everything(run, trail):
    policy = run.config / "jupyter-qguard" / "policy.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text("apiVersion: qguard/v1\naudits: {}\n")
    policy.chmod(0o600)
    for command in ("show", "verify", "export"):
        done = run("audit", command)
        assert done.returncode == 3
        assert done.stdout == b""
        assert b"audits" in done.stderr
    assert looks(trail, AuditRead) + looks(trail, AuditExported) == []


def test_an_export_is_sanitised_private_and_on_the_record(run, trail, work):
    (work / "old.jsonl").write_text("old")
    (work / "old.jsonl").chmod(0o644)
    done = run("audit", "export", "-o", "old.jsonl")
    body = (work / "old.jsonl").read_bytes()
    assert done.returncode == 0
    assert stat.S_IMODE((work / "old.jsonl").stat().st_mode) == 0o600
    assert len(body.splitlines()) == 20
    assert b'"ada"' not in body
    assert b"test 1" not in body
    (record,) = looks(trail, AuditExported)
    assert record["data"]["digest"] == hashlib.sha256(body).hexdigest()
    assert (record["data"]["records"], record["data"]["first"], record["data"]["last"]) == (20, 1, 20)
    assert "identified" not in record["data"]
    assert check(trail).whole


def test_an_export_with_names_says_so_on_the_record(run, trail):
    done = run("audit", "export", "--identified", "--format", "csv", "--type", "override.granted")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert {row["user"] for row in rows} == {"ada"}
    (record,) = looks(trail, AuditExported)
    assert record["data"]["identified"] is True


def test_an_export_that_cannot_be_written_is_an_error(run, trail):
    assert run("audit", "export", "-o", "no/such/folder.jsonl").returncode == 4
    assert looks(trail, AuditExported)  # it was recorded before anything could leave
