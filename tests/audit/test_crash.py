"""Processes that die in the middle, share a log, or find the disk full. Nothing acknowledged is ever lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pytest

from tests.audit.trails import check, event, make_trail, open_log, records_in, segments

ROOT = Path(__file__).parents[2]
FOREVER = 10**9


def start(folder, threads, count) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.audit.appender", str(folder), str(threads), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def pairs(output: bytes) -> list[tuple[int, str]]:
    return [(int(number), name) for number, name in (line.split() for line in output.decode().splitlines())]


def by_number(folder) -> dict[int, str]:
    return {int(record["sequence"]): record["id"] for record in records_in(folder)}


def torn_records(folder) -> list[dict]:
    return [record for record in records_in(folder) if record["data"].get("code") == "torn_record"]


@pytest.mark.e2e
def test_every_acknowledged_record_survives_a_kill(tmp_path):
    folder, draw = tmp_path / "audit", Random(7)
    acknowledged: dict[int, str] = {}
    for _ in range(4):
        process = start(folder, 4, FOREVER)
        head = b"".join(process.stdout.readline() for _ in range(draw.randrange(1, 400)))
        process.kill()
        rest, errors = process.communicate()
        assert errors == b""
        acknowledged |= pairs(head + rest)
        open_log(folder).close()
        found = by_number(folder)
        assert {number: found.get(number) for number in acknowledged} == acknowledged
        assert check(folder).whole
    assert len(segments(folder)) > 1


@pytest.mark.e2e
def test_two_processes_and_many_threads_write_one_chain(tmp_path):
    processes = [start(tmp_path / "audit", 5, 20) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    told = [pair for output, _ in outputs for pair in pairs(output)]
    assert dict(told) == by_number(tmp_path / "audit")
    assert sorted(number for number, _ in told) == list(range(1, 201))
    assert check(tmp_path / "audit").whole


def test_threads_of_one_process_write_one_chain(tmp_path):
    log, told = open_log(tmp_path / "audit"), []

    def append(first):
        for number in range(first, first + 25):
            told.append(log.append(event(number)))
            told.extend(log.append_all((event(number), event(number))))

    threads = [threading.Thread(target=append, args=(25 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert {record.sequence: record.id for record in told} == by_number(tmp_path / "audit")
    assert len(told) == 600
    assert check(tmp_path / "audit").whole


@pytest.mark.parametrize("torn", [1, 50, 200])
def test_a_torn_record_is_mended_and_that_is_recorded(tmp_path, torn):
    folder = tmp_path / "audit"
    make_trail(folder, 5)
    with segments(folder)[-1].open("ab") as file:
        file.write(b'{"data":{"override":"o9"},"type":"x'.ljust(torn, b"-")[:torn])
    open_log(folder).close()
    assert [f" {torn} bytes" in record["data"]["detail"] for record in torn_records(folder)] == [True]
    assert len(by_number(folder)) == 6
    assert check(folder).whole


def test_a_record_torn_by_another_process_is_mended_and_that_is_recorded(tmp_path):
    folder = tmp_path / "audit"
    log = open_log(folder)
    log.append(event(1))
    with segments(folder)[-1].open("ab") as file:
        file.write(b'{"data":')
    log.append(event(2))
    log.close()
    assert [record["type"] for record in records_in(folder)] == ["override.granted", "override.granted", "guard.failed"]
    assert len(torn_records(folder)) == 1
    assert check(folder).whole


def test_a_torn_statement_is_mended(tmp_path):
    folder = tmp_path / "audit"
    make_trail(folder, 5)
    statements = folder / "checkpoints.jsonl"
    statements.write_bytes(statements.read_bytes()[:-30])
    open_log(folder).close()
    assert check(folder).whole
    assert check(folder).checkpoint.sequence == len(by_number(folder))


FULL = """
import json, resource, sys
from pathlib import Path
from jupyter_qguard.errors import AuditUnavailableError
from tests.audit.trails import event, open_log, segments
from jupyter_qguard.audit import LogSettings

folder = Path(sys.argv[1])
log = open_log(folder, LogSettings(checkpoint_seconds=3600))
kept = [log.append(event(0)).id]
(segment,) = segments(folder)
room = segment.stat().st_size * 5 // 2
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
refused = 0
for number in range(1, 6):
    try:
        kept.append(log.append(event(number)).id)
    except AuditUnavailableError:
        refused += 1
half = not segment.read_bytes().endswith(b"\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
kept.append(log.append(event(9)).id)
log.close()
print(json.dumps({"kept": kept, "refused": refused, "half": half}))
"""


@pytest.mark.e2e
def test_a_full_disk_refuses_writes_nothing_half_and_recovers(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "audit")], cwd=ROOT, capture_output=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["refused"] == 4
    assert told["half"] is False
    assert list(by_number(tmp_path / "audit").values()) == told["kept"]
    assert check(tmp_path / "audit").whole
    assert torn_records(tmp_path / "audit") == []


FULL_AT_A_CHECKPOINT = """
import json, resource, sys
from pathlib import Path
from tests.audit.trails import event, open_log, segments
from jupyter_qguard.audit import LogSettings

folder = Path(sys.argv[1])
log = open_log(folder, LogSettings(checkpoint_records=1))
kept = [log.append(event(0)).id]
statements = folder / "checkpoints.jsonl"
before = statements.read_bytes()
room = segments(folder)[0].stat().st_size * 2 + 20  # for one more record, and not for one more statement
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
kept.append(log.append(event(1)).id)
same = statements.read_bytes() == before
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.close()
print(json.dumps({"kept": kept, "same": same}))
"""


@pytest.mark.e2e
def test_a_disk_that_is_full_at_a_checkpoint_loses_no_acknowledged_record(tmp_path):
    command = [sys.executable, "-c", FULL_AT_A_CHECKPOINT, str(tmp_path / "audit")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert told["same"] is True
    assert list(by_number(tmp_path / "audit").values()) == told["kept"]
    assert check(tmp_path / "audit").checkpoint.sequence == 2
    assert check(tmp_path / "audit").whole


class Interrupt(BaseException):
    """As a KeyboardInterrupt that comes at the worst moment."""


def test_an_interrupt_of_the_leader_leaves_nobody_waiting(tmp_path):
    log = open_log(tmp_path / "audit")

    class Interrupted:
        def __enter__(self):
            raise Interrupt

        def __exit__(self, *error):
            return None

    turn, log._turn = log._turn, Interrupted()
    with pytest.raises(Interrupt):
        log.append(event(1))
    log._turn = turn
    finished = threading.Event()
    threading.Thread(target=lambda: (log.append(event(2)), finished.set()), daemon=True).start()
    assert finished.wait(20)
    log.close()
