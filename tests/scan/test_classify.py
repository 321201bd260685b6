"""Data that is no credential: labelled, and acted on only where the policy names it; the class of a whole notebook."""

from __future__ import annotations

import json
from random import Random

import pytest

from jupyter_qguard.scan import Classification, Place, Scanner, ScanSettings, Severity
from tests.scan.test_scanner import data, notebook, stream, value

KEY = b"k" * 32
HEX = "0123456789abcdef"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


def hexadecimal(seed, length):
    return value(seed, length, HEX)


def uuid(seed):
    text = hexadecimal(seed, 32)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


ACCOUNTS = {
    "crn": f"crn:v1:bluemix:public:quantum-computing:us-east:a/{hexadecimal(1, 32)}:{uuid(2)}::",
    "arn": f"arn:aws:braket:us-east-1:{value(3, 12, DIGITS)}:quantum-task/{uuid(4)}",
    "subscription": f"/subscriptions/{uuid(5)}/resourceGroups/AzureQuantum",
    "service account": f"{value(6, 12, LETTERS)}@{value(7, 12, LETTERS)}.iam.gserviceaccount.com",
    "bucket": f"amazon-braket-eu-north-1-{value(8, 12, DIGITS)}",
    "key id": f"SCW{value(9, 17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' + DIGITS)}",
}
OUTPUTS = {
    "calibration_snapshot": {"qubits": [{"T1": 118.2, "T2": 97.5, "readout_error": 0.011}]},
    "backend_properties": {"coupling_map": [[0, 1]], "basis_gates": ["cz"], "backend_version": "1.3"},
    "queue_configuration": {"pending_jobs": 12, "job_limit": 100},
}


@pytest.fixture(scope="module")
def plain():
    return Scanner.load(ScanSettings(KEY))


def naming(patterns=None, **classify):
    return Scanner.load(ScanSettings(KEY, classify, patterns or {}))


def test_the_classes_have_their_order():
    assert [each.label for each in sorted(Classification)] == ["public", "internal", "confidential", "restricted"]


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS)
def test_what_names_an_account_is_labelled_exactly(plain, account):
    text = f"instance {account}\n"
    result = plain.scan_notebook(notebook("", [stream(text)]))
    (label,) = result.labels
    assert (label.rule_id, label.severity) == ("account_identifier", Severity.INFO)
    assert [text[start:end] for start, end in label.spans] == [account]
    assert not result.findings
    assert result.classification is Classification.INTERNAL


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("form", ["stream", "json", "result"])
def test_kinds_of_data_are_told_in_outputs(plain, name, form):
    text = repr(OUTPUTS[name])
    output = stream(text) if form == "stream" else data(text__plain=text)
    if form == "json":
        output = stream(json.dumps(OUTPUTS[name]))
    assert [label.rule_id for label in plain.scan_notebook(notebook("", [output])).labels] == [name]


@pytest.mark.parametrize("name", OUTPUTS)
def test_code_that_only_speaks_of_them_is_no_data(plain, name):
    assert not plain.scan_notebook(notebook(f"properties = {OUTPUTS[name]!r}")).labels


@pytest.mark.parametrize("name", OUTPUTS)
def test_one_word_is_none(plain, name):
    word = next(iter(OUTPUTS[name]))
    assert not plain.scan_notebook(notebook("", [stream(f"{word} and {word}\n")])).labels


@pytest.mark.parametrize("given", list(Classification))
def test_what_the_policy_names_is_acted_on_in_its_class(given):
    scanner = naming(calibration_snapshot=given)
    result = scanner.scan_notebook(notebook("", [stream(repr(OUTPUTS["calibration_snapshot"]))]))
    (finding,) = result.findings
    assert (finding.classification, finding.place) == (given, Place.OUTPUT)
    assert result.classification is given
    assert not result.labels


def test_what_it_does_not_name_stays_a_label():
    scanner = naming(account_identifier=Classification.CONFIDENTIAL)
    outputs = [stream(repr(OUTPUTS["queue_configuration"])), stream(ACCOUNTS["crn"])]
    result = scanner.scan_notebook(notebook("", outputs))
    assert [finding.rule_id for finding in result.findings] == ["account_identifier"]
    assert [label.rule_id for label in result.labels] == ["queue_configuration"]


def test_a_teams_own_pattern_counts_in_sources_and_outputs():
    scanner = naming({"project": "PRJ-[0-9]{4}"}, project=Classification.CONFIDENTIAL)
    number = f"PRJ-{value(10, 4, DIGITS)}"
    result = scanner.scan_notebook(notebook(f"name = '{number}'", [stream(f"run of {number}\n")]))
    assert [(f.rule_id, f.place, f.classification) for f in result.findings] == [
        ("project", Place.SOURCE, Classification.CONFIDENTIAL),
        ("project", Place.OUTPUT, Classification.CONFIDENTIAL),
    ]


def test_a_credential_is_restricted_whatever_the_policy_names():
    scanner = naming(calibration_snapshot=Classification.PUBLIC)
    secret = value(11)
    text = f"{OUTPUTS['calibration_snapshot']!r}\napi_key = '{secret}'\n"
    result = scanner.scan_notebook(notebook("", [stream(text)]))
    classes = {finding.rule_id: finding.classification for finding in result.findings}
    assert classes == {
        "generic-credential": Classification.RESTRICTED,
        "calibration_snapshot": Classification.PUBLIC,
    }
    assert result.classification is Classification.RESTRICTED
    (whole,) = [finding for finding in result.findings if finding.rule_id == "calibration_snapshot"]
    assert not any(secret in text[start:end] for start, end in whole.spans)


@pytest.mark.parametrize("seed", range(12))
def test_the_effective_class_is_the_highest_of_stated_and_found(seed):
    draw = Random(seed)
    stated, found = draw.choice([None, *Classification]), draw.choice(list(Classification))
    metadata = {} if stated is None else {"qguard": {"classification": stated.label}}
    scanner = naming(queue_configuration=found)
    result = scanner.scan_notebook(notebook("", [stream(repr(OUTPUTS["queue_configuration"]))], metadata))
    assert result.stated is stated
    assert result.classification is max(found, stated or Classification.PUBLIC)


@pytest.mark.parametrize("given", [3, None, ["restricted"], "top secret", {"classification": "restricted"}])
def test_a_class_of_no_known_name_is_none(plain, given):
    assert plain.scan_notebook(notebook("1", metadata={"qguard": {"classification": given}})).stated is None
    assert plain.scan_notebook(notebook("1", metadata={"qguard": given})).stated in {None, Classification.RESTRICTED}
