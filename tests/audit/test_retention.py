"""Old segments go as a whole, on the record, and the rest still verifies."""

from __future__ import annotations

from jupyter_qguard.audit import LogSettings
from jupyter_qguard.audit.writer import ChainWriter
from tests.audit.trails import SMALL, check, contents, event, lay, make_trail, open_log, records_in, segments

DAY = 86_400 * 10**9
START = 1_900_000_000 * 10**9


class Clock:
    """Nanoseconds since 1970, moved by hand."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


def three_days(folder, clock):
    """A log that is open, with records of three days in several segments each."""
    log = open_log(folder, clock=clock)
    for day in range(3):
        clock.now = START + day * DAY
        for number in range(24):
            log.append(event(number))
    return log


def test_whole_segments_older_than_the_limit_go_and_the_rest_verifies(tmp_path):
    folder, clock = tmp_path / "audit", Clock()
    log = three_days(folder, clock)
    before = len(segments(folder))
    clock.now = START + 3 * DAY
    removed = log.retain(2)
    assert 0 < removed < before
    assert len(segments(folder)) == before - removed
    log.append(event(99))
    log.close()
    found = check(folder)
    assert found.whole, found.problems
    assert 1 < found.first <= 25
    assert found.last == 73
    assert min(record["time"] for record in records_in(folder)) >= "2030-03-17"
    make_trail(folder, 1)
    assert check(folder).whole


def test_everything_but_the_segment_that_is_written_can_go(tmp_path):
    folder, clock = tmp_path / "audit", Clock()
    log = three_days(folder, clock)
    clock.now += 100 * DAY
    log.retain(1)
    assert len(segments(folder)) == 1
    log.close()
    assert check(folder).whole
    log = open_log(folder, clock=clock)
    log.append(event(100))
    log.close()
    assert check(folder).whole


def test_the_limit_of_the_policy_applies_when_the_log_is_opened_and_when_a_segment_is_full(tmp_path):
    folder, clock = tmp_path / "audit", Clock()
    three_days(folder, clock).close()
    before = len(segments(folder))
    clock.now += 10 * DAY
    keeping = LogSettings(segment_bytes=SMALL.segment_bytes, retention_days=5)
    log = open_log(folder, keeping, clock=clock)
    assert len(segments(folder)) == 1 < before
    clock.now += 10 * DAY
    for number in range(24):
        log.append(event(number))
    assert len(segments(folder)) > 1
    clock.now += 10 * DAY
    first = segments(folder)[0]
    for number in range(12):
        log.append(event(number))
    log.close()
    assert not first.exists()
    assert check(folder).whole


def test_a_crash_between_two_removals_leaves_a_trail_that_verifies(tmp_path, monkeypatch):
    folder, clock = tmp_path / "audit", Clock()
    log = three_days(folder, clock)
    clock.now += 100 * DAY
    left: list[dict[str, bytes]] = [contents(folder)]
    state = ChainWriter._state

    def state_and_look(*arguments):
        statement = state(*arguments)
        left.append(contents(folder))
        return statement

    monkeypatch.setattr(ChainWriter, "_state", state_and_look)
    removed = log.retain(1)
    log.close()
    assert removed > 2
    assert len(left) > removed
    for number, files in enumerate(left):
        found = check(lay(files, tmp_path / f"copy{number}"))
        assert found.whole, found.problems


def test_segments_removed_by_hand_are_missed_all_the_same(tmp_path):
    folder, clock = tmp_path / "audit", Clock()
    log = three_days(folder, clock)
    clock.now = START + 3 * DAY
    log.retain(2)
    log.close()
    segments(folder)[0].unlink()
    assert not check(folder).whole


def test_the_records_of_a_removed_segment_cannot_be_put_back_changed(tmp_path):
    folder, clock = tmp_path / "audit", Clock()
    log = three_days(folder, clock)
    old = segments(folder)[0]
    body = old.read_bytes()
    clock.now = START + 3 * DAY
    log.retain(2)
    log.close()
    old.write_bytes(body.replace(b"test 1", b"text 1"))
    assert not check(folder).whole
