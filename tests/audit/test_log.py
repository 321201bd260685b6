"""The records: their fields, their secrecy, who may read them, and how refusals are counted."""

from __future__ import annotations

import json
import re
import stat
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_qguard.audit import AuditEvent, EventType, Identity, IdentityKind, LogSettings, audit_paths
from jupyter_qguard.audit.envelope import prepare, screen_text, seal, unseal
from jupyter_qguard.audit.event import DATA_OF, GuardFailed, OverrideGranted
from jupyter_qguard.audit.refusals import WINDOW_SECONDS, RefusalCounter
from jupyter_qguard.errors import AuditUnavailableError
from tests.audit.trails import ME, check, event, make_trail, open_log, records_in, refusal, segments
from tests.server.planted import make_secret

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_record_is_a_cloud_event_with_the_identity(tmp_path):
    log = open_log(tmp_path / "audit")
    data = OverrideGranted(override="o1", reason="workshop", fingerprints=("ab12",))
    log.append(AuditEvent(data=data, kernel="k1", notebook="work/vqe.ipynb", cell="a1", correlationid=TRACE))
    log.close()
    (line,) = segments(tmp_path / "audit")[0].read_bytes().splitlines()
    record = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record.pop("time"))
    assert re.fullmatch(r"[0-9a-f]{32}", record.pop("id"))
    assert re.fullmatch(r"[0-9a-f]{64}", record.pop("hash"))
    assert re.fullmatch(r"[0-9a-f]{64}", record.pop("previous"))
    assert record == {
        "specversion": "1.0",
        "type": "override.granted",
        "source": "/qguard/server",
        "datacontenttype": "application/json",
        "identitykind": "person",
        "user": "ada",
        "role": "researcher",
        "environment": "dev",
        "kernel": "k1",
        "notebook": "work/vqe.ipynb",
        "cell": "a1",
        "correlationid": TRACE,
        "sequence": f"{1:016d}",
        "data": {"override": "o1", "reason": "workshop", "fingerprints": ["ab12"]},
    }
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in json.loads(line))  # as CloudEvents names attributes


def test_what_is_not_known_is_absent(tmp_path):
    log = open_log(tmp_path / "audit")
    log.append(
        AuditEvent(data=GuardFailed(part="save", code="x"), identity=Identity(kind=IdentityKind.SERVICE, user=""))
    )
    log.close()
    (record,) = records_in(tmp_path / "audit")
    assert record["identitykind"] == "service"
    assert not {"user", "role", "environment", "kernel", "notebook", "cell", "correlationid"} & record.keys()


def test_every_type_of_the_contract_has_its_data():
    assert set(DATA_OF) == set(EventType)
    assert {kind.value for kind in EventType} == set(
        "save.decided override.granted lease.granted lease.refused lease.revoked egress.decided operation.decided "
        "job.submitted job.unknown result.read kernel.started policy.loaded guard.failed alert.raised alert.closed "
        "audit.read audit.exported".split()
    )


def test_folder_and_files_are_their_owners_alone(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir(mode=0o755)
    make_trail(folder, 25)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [*folder.iterdir(), tmp_path / "audit.key"]}
    *full, last = (path.name for path in segments(folder))
    assert full
    assert {name: modes.pop(name) for name in full} == dict.fromkeys(full, 0o400)
    assert modes == dict.fromkeys([last, "checkpoints.jsonl", "checkpoint.pub", "lock", "audit.key"], 0o600)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_key_that_others_may_use_is_refused(tmp_path, mode):
    make_trail(tmp_path / "audit", 1)
    (tmp_path / "audit.key").chmod(mode)
    with pytest.raises(AuditUnavailableError, match="others than its owner"):
        open_log(tmp_path / "audit")


@pytest.mark.parametrize("what", ["lost", "replaced", "spoilt"])
def test_a_trail_is_not_continued_with_another_key(tmp_path, what):
    make_trail(tmp_path / "audit", 1)
    key = tmp_path / "audit.key"
    key.unlink()
    if what == "replaced":
        make_trail(tmp_path / "other", 1)
        (tmp_path / "other.key").rename(key)
    elif what == "spoilt":
        key.write_text("no key")
        key.chmod(0o600)
    with pytest.raises(AuditUnavailableError):
        open_log(tmp_path / "audit")


def test_what_people_word_is_screened(tmp_path):
    secret = make_secret("audit reason")
    log = open_log(tmp_path / "audit")
    log.append(AuditEvent(data=OverrideGranted(override="o1", reason=f"the key {secret} is revoked")))
    log.close()
    body = segments(tmp_path / "audit")[0].read_text()
    assert secret not in body
    assert "the key [redacted] is revoked" in body


def test_with_a_scanner_the_claims_of_clients_are_screened_too(tmp_path):
    secret = make_secret("audit claim")
    log = open_log(tmp_path / "audit", screen=lambda text: text.replace(secret, "[redacted]"))
    log.append(AuditEvent(data=GuardFailed(part="save", code="x"), notebook=f"work/{secret}.ipynb", cell=secret))
    log.close()
    assert secret not in segments(tmp_path / "audit")[0].read_text()


texts = st.text(st.characters(exclude_categories=()), max_size=700)


@settings(deadline=None, max_examples=300)
@given(reason=texts, notebook=texts, cell=texts, items=st.lists(texts, max_size=120))
def test_any_text_becomes_one_line_that_reads_back(reason, notebook, cell, items):
    data = OverrideGranted(override="o", reason=reason, rule_ids=tuple(items))
    happened = AuditEvent(data=data, notebook=notebook, cell=cell)
    line, digest = seal(prepare(happened, ME, 1_900_000_000_000_000_000, screen_text), 1, "0" * 64)
    assert line.endswith(b"\n")
    assert not any(byte < 0x20 or byte == 0x7F for byte in line[:-1])
    record = json.loads(line)
    found = unseal(line)
    assert found is not None
    assert found[1] == digest == record["hash"]
    assert all(len(text) <= 500 for text in (record["data"]["reason"], record.get("cell", "")))
    assert len(record["data"].get("rule_ids", ())) <= 100


def test_equal_refusals_within_ten_seconds_are_one_record_with_a_count():
    now = [100.0]
    counter = RefusalCounter(lambda: now[0])
    for _ in range(1000):
        counter.note(refusal("a.example"))
        now[0] += 0.009
    counter.note(refusal("b.example"))
    assert WINDOW_SECONDS == 10.0
    assert counter.take_due() == []
    assert counter.next_due() == 110.0
    now[0] = 110.0
    (first,) = counter.take_due()
    assert (first.data.host, first.data.count) == ("a.example", 1000)
    now[0] = 119.5
    assert [each.data.count for each in counter.take_due()] == [1]
    assert counter.next_due() is None


def test_refusals_that_cannot_be_written_keep_their_count():
    counter = RefusalCounter(lambda: 0.0)
    for _ in range(3):
        counter.note(refusal())
    counter.put_back(counter.take_due(everything=True))
    counter.note(refusal())
    assert [each.data.count for each in counter.take_due(everything=True)] == [4]


def test_refusals_do_not_fill_the_memory():
    counter = RefusalCounter(lambda: 0.0)
    for number in range(20_000):
        counter.note(refusal(f"h{number}.example"))
    with pytest.raises(AuditUnavailableError):
        counter.note(refusal("another.example"))
    counter.note(refusal("h1.example"))  # one that waits is still counted


def test_noted_refusals_are_in_the_log_when_it_is_closed(tmp_path):
    log = open_log(tmp_path / "audit")
    for _ in range(5):
        log.note_refusal(refusal())
    log.note_refusal(refusal("b.example"))
    log.close()
    assert [record["data"].get("count") for record in records_in(tmp_path / "audit")] == [5, None]
    for late in (lambda: log.note_refusal(refusal()), lambda: log.append(event(1))):
        with pytest.raises(AuditUnavailableError, match="closed"):
            late()


def test_a_checkpoint_comes_by_itself_when_it_is_time(tmp_path):
    log = open_log(tmp_path / "audit", LogSettings(checkpoint_seconds=0.05))
    log.append(event(1))
    until = time.monotonic() + 20
    while check(tmp_path / "audit").checkpoint.sequence < 1:
        assert time.monotonic() < until
    log.close()


def test_the_folder_is_in_the_users_state_and_the_key_apart(tmp_path):
    paths = audit_paths(None, {"XDG_STATE_HOME": "/srv/state"}, tmp_path)
    assert str(paths.folder) == "/srv/state/jupyter-qguard/audit"
    assert paths.key.parent != paths.folder
    assert audit_paths(None, {}, tmp_path).folder == tmp_path / ".local/state/jupyter-qguard/audit"
    moved = audit_paths("/srv/trail", {}, tmp_path)
    assert (str(moved.folder), moved.key) == ("/srv/trail", audit_paths(None, {}, tmp_path).key)
