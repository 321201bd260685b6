"""What redaction puts in place of a secret, and that it touches nothing else, whatever the document is like."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benchmarks.roundtrip import MARK, put_back, secrets_by_string, walk
from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.redact import redact_notebook, redact_text
from jupyter_qguard.secret import is_mark
from tests.property.strategies import notebooks, texts

thorough = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
RULES = ("ibm-quantum-api-key", "generic-credential", "kingfisher.aws.1")


@dataclass(frozen=True)
class Found:
    """What redaction must know of a finding."""

    rule_id: str
    spans: tuple[tuple[int, int], ...]
    pointer: str = ""
    in_key: bool = False


@st.composite
def spans_in(draw, text: str) -> tuple[tuple[int, int], ...]:
    """Ascending spans of a text, none empty, none touching the next."""
    edges = sorted(draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=6)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def found_in(draw, text: str, pointer: str = "") -> Found:
    return Found(draw(st.sampled_from(RULES)), draw(spans_in(text)), pointer)


@thorough
@given(data=st.data(), text=st.text(st.characters(exclude_categories=()), min_size=1, max_size=80))
def test_the_first_span_names_the_rule_the_others_do_not_and_all_else_stays(data, text):
    finding = data.draw(found_in(text))
    parts, done = [], 0
    for number, (start, end) in enumerate(finding.spans):
        parts += [text[done:start], "[redacted]" if number else f"[redacted:{finding.rule_id}]"]
        done = end
    assert redact_text(text, [finding]) == "".join([*parts, text[done:]])


@thorough
@given(data=st.data(), text=st.text(min_size=1, max_size=80))
def test_of_findings_that_overlap_nothing_is_left(data, text):
    findings = data.draw(st.lists(found_in(text), min_size=1, max_size=4))
    gone = {at for each in findings for start, end in each.spans for at in range(start, end)}
    redacted = redact_text(text, findings)
    kept = MARK.sub("", redacted)
    assume(not MARK.search(text))
    assert kept == "".join(char for at, char in enumerate(text) if at not in gone)
    assert all(is_mark(mark[0]) for mark in MARK.finditer(redacted))


@st.composite
def documents_with_findings(draw):
    """A notebook, and findings at any of its strings and lists of lines, keys apart."""
    document = draw(notebooks)
    places = {pointer: text for pointer, text in walk(document, "") if text and not pointer.endswith("\0")}
    assume(places)
    chosen = draw(st.lists(st.sampled_from(sorted(places)), min_size=1, max_size=4, unique=True))
    chosen = [place for place in chosen if not any(place.startswith(f"{other}/") for other in chosen)]
    return document, [draw(found_in(places[place], place)) for place in chosen]


@thorough
@given(documents_with_findings())
def test_putting_back_what_was_taken_out_of_a_notebook_gives_the_original(drawn):
    document, findings = drawn
    assume(not MARK.search(json.dumps(document)))
    before = copy.deepcopy(document)
    redacted = redact_notebook(document, findings)
    assert json.dumps(document) == json.dumps(before)
    restored = put_back(redacted, before, "", secrets_by_string(before, findings))
    assert json.dumps(restored) == json.dumps(before)
    marks = json.dumps(redacted, ensure_ascii=False).count("[redacted")
    assert marks == sum(len(each.spans) for each in findings)


@given(lines=st.lists(texts, min_size=1, max_size=5), data=st.data())
@thorough
def test_a_list_of_lines_stays_a_list_of_as_many(lines, data):
    text = "".join(lines)
    assume(text)
    finding = data.draw(found_in(text, "/cells/0/source"))
    redacted = redact_notebook({"cells": [{"source": lines}]}, [finding])["cells"][0]["source"]
    assert len(redacted) == len(lines)
    assert "".join(redacted) == redact_text(text, [Found(finding.rule_id, finding.spans)])


def test_keys_that_come_to_the_same_text_are_numbered_and_keep_their_values():
    document = {"cells": [], "metadata": {"jobs": {"key-a": 1, "x": 2, "key-b": 3}}}
    mark = "[redacted:r]"
    findings = [
        Found("r", ((0, 5),), f"/metadata/jobs/{mark}", in_key=True),
        Found("r", ((0, 5),), f"/metadata/jobs/{mark} (2)", in_key=True),
    ]
    assert redact_notebook(document, findings)["metadata"]["jobs"] == {mark: 1, "x": 2, f"{mark} (2)": 3}


@pytest.mark.parametrize(
    "pointer", ["/cells/7/source", "/cells/x", "/metadata/none", "/cells/0/source/0/0", "/nbformat"]
)
def test_findings_of_another_document_are_refused(pointer):
    document = {"cells": [{"source": "x = 1"}], "metadata": {}, "nbformat": 4}
    with pytest.raises(GuardFailureError):
        redact_notebook(document, [Found("r", ((0, 1),), pointer)])
