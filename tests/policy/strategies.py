"""Findings and policies of every kind, for property tests."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from jupyter_qguard.policy.model import Action, ExceptionKind, Mode, Policy, PolicyException, ScanPolicy
from jupyter_qguard.scan.finding import CellRef, Classification, Confidence, Finding, Place, ScanResult, Severity

TODAY = dt.date(2027, 1, 15)
CREDENTIALS = ("ionq-api-key", "private-key", "jwt")
DATA = ("calibration_snapshot", "wafer_id")


def finding(
    rule_id: str = "ionq-api-key",
    place: Place = Place.SOURCE,
    classification: Classification = Classification.RESTRICTED,
    fingerprint: str = "0" * 32,
    index: int = 2,
) -> Finding:
    cell = None if place is Place.TEXT_FILE else CellRef(index, f"cell-{index}", "code")
    return Finding(
        rule_id=rule_id,
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        classification=classification,
        vendor=None,
        fingerprint=fingerprint,
        pointer="" if cell is None else f"/cells/{index}/source",
        spans=((0, 4),),
        in_key=False,
        cell=cell,
        place=place,
        preview="ab…yz",
        line=1,
        message=f"An example of {rule_id}.",
    )


fingerprints = st.sampled_from([character * 32 for character in "0123"])
credentials = st.builds(
    finding, st.sampled_from(CREDENTIALS), st.sampled_from(Place), st.just(Classification.RESTRICTED), fingerprints
)
data = st.builds(finding, st.sampled_from(DATA), st.sampled_from(Place), st.sampled_from(Classification), fingerprints)
findings = st.one_of(credentials, data)
stated = st.one_of(st.none(), st.sampled_from(Classification))
results = st.builds(ScanResult, st.lists(findings, max_size=6).map(tuple), stated=stated)
actions = st.sampled_from([Action.BLOCK, Action.REDACT, Action.WARN])
exceptions = st.builds(
    PolicyException,
    kind=st.sampled_from(ExceptionKind),
    target=st.sampled_from(CREDENTIALS),
    paths=st.sampled_from([None, "teaching/*", "*.ipynb"]),
    owner=st.just("lab"),
    reason=st.just("a course"),
    compensating_control=st.just("keys of the simulator only"),
    expires=st.sampled_from([TODAY - dt.timedelta(1), TODAY, TODAY + dt.timedelta(1)]),
)
policies = st.builds(
    Policy,
    scan=st.builds(ScanPolicy, st.sampled_from(Mode), actions, actions, actions, actions),
    classify=st.dictionaries(st.sampled_from(DATA), st.sampled_from(Classification)),
    exceptions=st.lists(exceptions, max_size=2).map(tuple),
)
overrides = st.frozensets(fingerprints)
paths = st.sampled_from([None, "teaching/a.ipynb", "notes.txt"])
