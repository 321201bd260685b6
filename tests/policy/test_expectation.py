"""A policy held against what is expected of it."""

from __future__ import annotations

import datetime as dt

import pytest

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy.expectation import Expectations
from jupyter_qguard.policy.parse import parse_policy

TODAY = dt.date(2027, 1, 15)
HEAD = "apiVersion: qguard/v1\n"
POLICY = parse_policy(
    HEAD
    + """\
scan: {mode: MODE, source: block, output: redact, text_files: warn}
classify: {calibration_snapshot: confidential}
egress:
  mode: MODE
  allow: [{host: index.example.org, expires: 2027-06-30}]
access:
  - {name: ibm/prod, vendor: ibm_quantum, regions: [eu-de], secret: "local://ibm", environment: prod, owner: q,
     purpose: p, expires: 2027-12-31, who: {users: [ada], groups: [prod]}}
exceptions:
  - {what: rule:ionq-api-key in lab/*, owner: o, reason: r, compensating_control: c, expires: 2027-02-01}
""".replace("MODE", "observe"),
    "p.yaml",
)


def outcomes(text: str):
    return list(Expectations(HEAD + text, "e.yaml").check(POLICY, TODAY))


@pytest.mark.parametrize(
    ("line", "decided"),
    [
        ("to: https://index.example.org/simple", "allow"),
        ("to: index.example.org:444", "refuse"),
        ("to: evil.example.org", "refuse"),
        ("to: quantum.cloud.ibm.com, user: ada", "allow"),
        ("to: quantum.cloud.ibm.com, groups: [prod]", "allow"),
        ("to: quantum.cloud.ibm.com, user: eve", "refuse"),
        ("to: quantum.cloud.ibm.com", "refuse"),
    ],
)
def test_a_connection_is_judged_as_if_enforced_and_by_person(line, decided):
    for wanted in ("allow", "refuse"):
        (outcome,) = outcomes(f"connections:\n  - {{{line}, expect: {wanted}}}\n")
        assert (outcome.decided, outcome.holds) == (decided, wanted == decided)
        assert outcome.where == "e.yaml:3"
        assert outcome.reason


@pytest.mark.parametrize(
    ("line", "decided"),
    [
        ("path: a.ipynb, finding: ionq-api-key", "block"),
        ("path: a.ipynb, finding: ionq-api-key, place: output", "redact"),
        ("path: a.log, finding: ionq-api-key", "warn"),
        ("path: lab/a.ipynb, finding: ionq-api-key", "warn"),
        ("path: a.ipynb, finding: calibration_snapshot", "block"),
        ("path: a.ipynb, finding: calibration_snapshot, states: public", "block"),
        ("path: a.ipynb, finding: calibration_snapshot, states: restricted", "allow"),
    ],
)
def test_a_save_is_judged_by_place_class_and_exception(line, decided):
    (outcome,) = outcomes(f"saves:\n  - {{{line}, expect: {decided}}}\n")
    assert outcome.holds, outcome


def test_a_day_that_the_file_names_counts():
    text = "connections: [{to: index.example.org, expect: allow}]\n"
    assert outcomes(text)[0].holds
    assert not outcomes(f"today: 2027-07-01\n{text}")[0].holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing is expected"),
        ("conections: []\n", "did you mean `connections`"),
        ("connections: [{to: a.example.org, expect: deny}]\n", "allow, refuse"),
        ("connections: [{to: 'a b', expect: allow}]\n", "connections[0].to"),
        ("saves: [{path: a, expect: block}]\n", "missing: `finding`"),
        ("saves: [{path: a, finding: b, states: secret, expect: block}]\n", "confidential"),
    ],
)
def test_what_is_no_expectation_is_told_with_its_line(text, said):
    with pytest.raises(PolicyError) as caught:
        Expectations(HEAD + text, "e.yaml")
    assert said in str(caught.value)
    assert "e.yaml" in str(caught.value)
