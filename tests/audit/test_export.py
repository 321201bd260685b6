"""What is handed out: fields of the contract, nobody's name, nothing that anybody worded, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_qguard.audit import AuditEvent, EventType
from jupyter_qguard.audit.event import DATA_OF, AuditRead, OverrideGranted, PolicyLoaded
from jupyter_qguard.audit.export import COLUMNS, ExportFormat, Sanitiser, export_lines
from tests.audit.trails import open_log, records_in

HOME = "/home/lovelace/.config/jupyter-qguard/policy.yaml"


@pytest.fixture
def records(tmp_path):
    log = open_log(tmp_path / "audit")
    override = OverrideGranted(override="o1", reason="asked by Ada Lovelace", rule_ids=("ibm-quantum-api-key",))
    log.append(AuditEvent(data=override, notebook="lovelace/vqe.ipynb", cell="a1"))
    log.append(AuditEvent(data=PolicyLoaded(sources=(f"user: {HOME}",), digests=("ab",), detail=f"read {HOME}")))
    log.append(AuditEvent(data=AuditRead(records=2, filters=("user=lovelace", "path=/home/lovelace/audit"))))
    log.append(AuditEvent(data=override, notebook="lovelace/vqe.ipynb"))
    log.close()
    return records_in(tmp_path / "audit")


def exported(records, *, identified=False, form=ExportFormat.JSONL) -> bytes:
    return b"".join(export_lines(records, Sanitiser(identified), form))


@pytest.mark.parametrize("form", list(ExportFormat))
def test_no_name_path_or_wording_is_handed_out(records, form):
    body = exported(records, form=form).lower()
    assert all(word not in body for word in (b"lovelace", b"home", b"policy.yaml", b"vqe"))
    assert not re.search(rb"\bada\b", body)  # as a word: random hexadecimal digits may spell it too
    assert b"ibm-quantum-api-key" in body


def test_pseudonyms_agree_within_an_export_and_with_no_other(records):
    first, second = ([json.loads(line) for line in exported(records).splitlines()] for _ in range(2))
    assert len({line["user"] for line in first}) == 1
    assert first[0]["notebook"] == first[3]["notebook"] != second[0]["notebook"]
    assert first[0]["user"] != second[0]["user"]
    assert [line["hash"] for line in first] == [record["hash"] for record in records]


def test_with_names_everything_of_the_contract_is_there(records):
    lines = [json.loads(line) for line in exported(records, identified=True).splitlines()]
    assert lines[0]["user"] == "ada"
    assert lines[0]["data"]["reason"] == "asked by Ada Lovelace"
    assert lines[1]["data"]["sources"] == [f"user: {HOME}"]


def test_fields_that_no_event_has_are_left_out(records):
    spoilt = {**records[0], "token": "t", "data": {**records[0]["data"], "token": "t"}}
    (line,) = exported([spoilt], identified=True).splitlines()
    assert b"token" not in line


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
hostile = st.one_of(
    json_values,
    st.sampled_from(['=cmd|" /C calc"!A0', "+1", "-1", "@SUM(A1)", "\t=1", "\r\nx", "a,b\n=2", '"=1"', "\x1b[2J"]),
)


@settings(deadline=None)
@example([{"kernel": "a\rb"}])
@given(st.lists(st.dictionaries(st.sampled_from([*COLUMNS, "previous", "x"]), hostile, max_size=8), max_size=4))
def test_a_hostile_trail_gives_a_table_without_formulas(spoilt):
    table = list(csv.reader(io.StringIO(exported(spoilt, form=ExportFormat.CSV).decode(), newline="")))
    assert table[0] == list(COLUMNS)
    assert len(table) == len(spoilt) + 1
    assert all(len(row) == len(COLUMNS) for row in table)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in table for cell in row)
    lines = exported(spoilt, identified=True).splitlines()
    assert len(lines) == len(spoilt)
    assert all(json.loads(line).keys() <= set(COLUMNS) for line in lines)


@pytest.mark.parametrize("kind", list(EventType))
def test_every_field_that_people_word_stays_inside(kind):
    """A new field that a person or a path can come into must be put on the list in ``export.py``."""
    known = {
        *(
            "override rule_ids fingerprints until proof lease access vendor custody action would host port address request cause"
        ).split(),
        *("operation job kernelspec tier enforced digests strictest part code alert rule severity records").split(),
        *("format identified first last digest count findings classification report").split(),
    }
    fields = {field.encode_name for field in msgspec.structs.fields(DATA_OF[kind])}
    kept = json.loads(exported([{"type": kind.value, "data": dict.fromkeys(fields, "x")}]))["data"].keys()
    assert kept <= known
