"""Whatever is done to a trail, verification says so; and exactly what it cannot see is told here and in the docs."""

from __future__ import annotations

import itertools
import json
import shutil

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jupyter_qguard.audit import LogSettings
from jupyter_qguard.audit.checkpoints import decode_statements, load_public_key
from jupyter_qguard.audit.custody import read_statement
from jupyter_qguard.audit.envelope import seal
from jupyter_qguard.audit.verify import verify
from jupyter_qguard.errors import AuditUnavailableError
from tests.audit.trails import check, contents, event, lay, make_trail, open_log, segments

STATEMENTS = "checkpoints.jsonl"
RECORDS = 33
thorough = settings(deadline=None, max_examples=300)


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trail") / "audit"
    make_trail(folder, RECORDS)
    assert len(segments(folder)) >= 3
    return contents(folder)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """Lays a spoilt trail and verifies it."""
    base, numbers = tmp_path_factory.mktemp("spoilt"), itertools.count()

    def look(files, **options):
        folder = lay(files, base / str(next(numbers)))
        try:
            return check(folder, **options)
        finally:
            shutil.rmtree(folder)

    return look


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


@st.composite
def a_segment(draw, trail):
    return draw(st.sampled_from([name for name in trail if name.startswith("audit-")]))


def test_an_untouched_copy_is_whole(trail, spoilt):
    found = spoilt(trail)
    assert found.whole
    assert (found.first, found.last, found.records) == (1, RECORDS, RECORDS)
    assert found.notes == ()


@thorough
@given(data=st.data())
def test_a_changed_byte_of_a_record_is_caught(trail, spoilt, data):
    name = data.draw(a_segment(trail))
    at = data.draw(st.integers(0, len(trail[name]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != trail[name][at]))
    changed = trail[name][:at] + bytes([byte]) + trail[name][at + 1 :]
    assert not spoilt({**trail, name: changed}).whole


@thorough
@given(data=st.data())
def test_bytes_put_in_or_taken_out_of_a_record_are_caught(trail, spoilt, data):
    name = data.draw(a_segment(trail))
    start = data.draw(st.integers(0, len(trail[name]) - 1))
    end = data.draw(st.integers(start, min(len(trail[name]), start + 2000)))
    put = data.draw(st.binary(max_size=20))
    changed = trail[name][:start] + put + trail[name][end:]
    assume(changed != trail[name])
    assert not spoilt({**trail, name: changed}).whole


@thorough
@given(data=st.data())
def test_records_removed_doubled_or_reordered_are_caught(trail, spoilt, data):
    names = [name for name in trail if name.startswith("audit-")]
    before = [line for name in names for line in lines_of(trail[name])]
    after = data.draw(
        st.one_of(
            st.permutations(before),
            st.lists(st.sampled_from(before), max_size=RECORDS + 3),
            st.integers(0, RECORDS - 1).map(lambda at: before[:at] + before[at + 1 :]),
            st.integers(0, RECORDS - 1).map(lambda at: [*before[: at + 1], *before[at:]]),
            st.integers(0, RECORDS - 2).map(lambda at: [*before[:at], before[at + 1], before[at], *before[at + 2 :]]),
        )
    )
    assume(after != before)
    files, rest = dict(trail), list(after)
    for name in names:  # the same number of lines a segment, what is over or missing in the last
        count = len(rest) if name == names[-1] else len(lines_of(trail[name]))
        files[name], rest = b"".join(rest[:count]), rest[count:]
    assert not spoilt(files).whole


@thorough
@given(data=st.data())
def test_segments_removed_doubled_or_exchanged_are_caught(trail, spoilt, data):
    names = [name for name in trail if name.startswith("audit-")]
    bodies = [trail[name] for name in names]
    after = data.draw(st.lists(st.sampled_from([*bodies, b"", None]), min_size=len(names), max_size=len(names)))
    assume(after != bodies)
    files = {name: body for name, body in zip(names, after, strict=True) if body is not None}
    rest = {name: body for name, body in trail.items() if name not in names}
    assert not spoilt(files | rest).whole


def test_a_segment_put_behind_the_last_is_caught(trail, spoilt):
    first = next(name for name in trail if name.startswith("audit-"))
    assert not spoilt({**trail, f"audit-{RECORDS + 1:016d}.jsonl": trail[first]}).whole


@thorough
@given(data=st.data())
def test_a_changed_statement_is_caught(trail, spoilt, data):
    body = trail[STATEMENTS]
    at = data.draw(st.integers(0, len(body) - 2))  # the last line end: see the next test
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[at]))
    assert not spoilt({**trail, STATEMENTS: body[:at] + bytes([byte]) + body[at + 1 :]}).whole


@thorough
@given(data=st.data())
def test_statements_removed_doubled_or_reordered_are_caught_save_the_last_ones(trail, spoilt, data):
    before = lines_of(trail[STATEMENTS])
    after = data.draw(st.one_of(st.permutations(before), st.lists(st.sampled_from(before), max_size=len(before) + 2)))
    assume(after != before[: len(after)] or len(after) > len(before))
    assert not spoilt({**trail, STATEMENTS: b"".join(after)}).whole


@pytest.mark.parametrize("left", [b"", None])
@pytest.mark.parametrize("records", [3, RECORDS])
def test_a_trail_without_any_statement_is_not_whole(spoilt, tmp_path, left, records):
    make_trail(tmp_path / "audit", records)
    files = contents(tmp_path / "audit")
    del files[STATEMENTS]
    assert not spoilt(files if left is None else {**files, STATEMENTS: left}).whole


def forged(line: bytes, previous: str) -> tuple[bytes, str]:
    """A record with other words in it, and all hashes as they should be: whoever forges can count."""
    record = json.loads(line)
    del record["hash"]
    record["data"] = {**record["data"], "reason": "another"}
    return seal(record, int(record["sequence"]), previous)


@pytest.mark.parametrize("at", [0, 3, 5])
@pytest.mark.parametrize("how_many", [1, 2, RECORDS])
def test_records_written_anew_with_right_hashes_are_caught(trail, spoilt, at, how_many):
    name = next(name for name in trail if name.startswith("audit-"))
    lines = lines_of(trail[name])
    previous = json.loads(lines[at])["previous"]
    for number in range(at, min(at + how_many, len(lines))):
        lines[number], previous = forged(lines[number], previous)
    assert not spoilt({**trail, name: b"".join(lines)}).whole


def test_taking_the_last_statements_off_uncovers_records_and_says_how_many(trail, spoilt):
    statements = lines_of(trail[STATEMENTS])
    found = spoilt({**trail, STATEMENTS: b"".join(statements[:-1])})
    covered = decode_statements(statements)[0][-2].sequence
    assert any(note.startswith(f"{RECORDS - covered} records after the last checkpoint") for note in found.notes)


def rolled_back(trail):
    """The trail as it was at an earlier checkpoint of its first segment: records and statements cut off together."""
    statements, _ = decode_statements(lines_of(trail[STATEMENTS]))
    first = next(name for name in trail if name.startswith("audit-"))
    kept = next(each for each in statements if each.sequence and each.segment == first)
    return {
        "checkpoint.pub": trail["checkpoint.pub"],
        first: trail[first][: kept.offset],
        STATEMENTS: b"".join(lines_of(trail[STATEMENTS])[: kept.index]),
    }


def test_not_seen_without_a_copy_kept_elsewhere_rolled_back_to_an_earlier_checkpoint(trail, spoilt, tmp_path):
    (tmp_path / "kept.jsonl").write_bytes(trail[STATEMENTS])
    files = rolled_back(trail)
    assert spoilt(files).whole
    assert not spoilt(files, against=read_statement(tmp_path / "kept.jsonl")).whole


def test_not_seen_without_a_copy_kept_elsewhere_records_after_the_last_checkpoint_cut_off(tmp_path):
    log = open_log(tmp_path / "audit", LogSettings(checkpoint_records=7))
    for number in range(10):
        log.append(event(number))
    files = contents(tmp_path / "audit")
    log.close()
    (name,) = (name for name in files if name.startswith("audit-"))
    cut = lay({**files, name: b"".join(lines_of(files[name])[:8])}, tmp_path / "cut")
    found = check(cut)
    assert found.whole
    assert any(note.startswith("1 records after the last checkpoint") for note in found.notes)
    kept = read_statement(tmp_path / "audit" / STATEMENTS)
    assert not check(cut, against=kept).whole


def test_not_seen_without_the_right_key_a_trail_replaced_together_with_its_key(tmp_path):
    make_trail(tmp_path / "real" / "audit", 10)
    make_trail(tmp_path / "forged" / "audit", 10)
    forged = tmp_path / "forged" / "audit"
    assert check(forged).whole
    real = load_public_key((tmp_path / "real" / "audit" / "checkpoint.pub").read_bytes())
    assert not verify(forged, real).whole
    kept = read_statement(tmp_path / "real" / "audit" / STATEMENTS)
    assert not check(forged, against=kept).whole


def test_an_unfinished_last_line_is_told(trail, spoilt):
    name = [name for name in trail if name.startswith("audit-")][-1]
    found = spoilt({**trail, name: trail[name] + b'{"data":'})
    assert found.whole
    assert any("unfinished line of 8 bytes" in note for note in found.notes)


def change_last(files: dict[str, bytes], name: str) -> bytes:
    lines = lines_of(files[name])
    return b"".join([*lines[:-1], lines[-1].replace(b"test ", b"text ")])


@pytest.mark.parametrize("what", ["record", "statement", "no statements", "no records"])
def test_nothing_is_appended_to_a_trail_that_was_changed(tmp_path, what):
    make_trail(tmp_path / "audit", 5)
    (segment,) = segments(tmp_path / "audit")
    statements = tmp_path / "audit" / STATEMENTS
    if what == "record":
        segment.write_bytes(change_last(contents(tmp_path / "audit"), segment.name))
    elif what == "statement":
        statements.write_bytes(b"{}\n" + statements.read_bytes())
    else:
        (statements if what == "no statements" else segment).unlink()
    with pytest.raises(AuditUnavailableError):
        open_log(tmp_path / "audit")
