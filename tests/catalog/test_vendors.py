"""The shipped data: complete, distinct, and not at odds with itself."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody, OperationClass, Rule, Vendor
from jupyter_qguard.catalog.shape import bounded
from jupyter_qguard.scan.placeholders import PLACEHOLDERS
from jupyter_qguard.scan.strength import is_placeholder
from tests.catalog.samples import hexadecimal
from tests.catalog.table import PAGE, table, written

VENDORS = (
    "alice_bob amazon_braket anyon_fermioniq aqt aws_s3 azure_quantum baidu bluequbit c12 classiq dwave dynex fujitsu "
    "google_quantum haiqu ibm_quantum ibm_quantum_legacy ionq iqm mimiq mqp nvidia_cudaq openquantum oqc oqtant oqtopus "
    "origin_quantum orquestra pasqal planqk qbraid qctrl qcware qibo_tii qilimanjaro qryd quafu quandela quantagonia "
    "quantinuum quantum_inspire quantum_machines quantum_rings qudora quera rigetti scaleway spinq strangeworks superstaq "
    "tencent_tyxonq xanadu"
).split()
SHARED_VARIABLES = {
    # Qiskit read it before and after IBM moved to cloud keys; notebooks use the others for both as well.
    "QISKIT_IBM_TOKEN": {"ibm_quantum", "ibm_quantum_legacy"},
    "IBM_QUANTUM_TOKEN": {"ibm_quantum", "ibm_quantum_legacy"},
    "IBMQ_TOKEN": {"ibm_quantum", "ibm_quantum_legacy"},
    "IBMQ_API_TOKEN": {"ibm_quantum", "ibm_quantum_legacy"},
}
WITHOUT_A_RULE = {
    # Whole header lines: what is secret in them is found by the rules for headers.
    "DWAVE_API_HEADERS",
    "STRANGEWORKS_HEADERS",
}
DOCUMENTATION_KEYS = {"AKIAIOSFODNN7EXAMPLE", "SCWABCDEFGHIJKLMNOPQ"}
"""Placeholders that have the very shape of what they stand for."""
COMMON_WORDS = frozenset(
    "token key api secret password client cloud quantum circuit backend job python header url".split()
)
MOST_LINES = 250
CATALOG = load_catalog()
RULES = [pytest.param(vendor, rule, id=rule.id) for vendor, rule in CATALOG.rules.values()]
EVERY_VENDOR = [pytest.param(vendor, id=vendor.id) for vendor in CATALOG.vendors.values()]


def _values(rule: Rule) -> list[str]:
    return [value for example in rule.examples for value in re.findall("«(.+)»", example)]


def test_every_vendor_that_hands_out_a_credential_is_there() -> None:
    assert list(CATALOG.vendors) == VENDORS


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_every_vendor_has_a_rule_for_a_secret(vendor: Vendor) -> None:
    assert any(rule.secret for rule in vendor.rules)


@pytest.mark.parametrize(("vendor", "rule"), RULES)
def test_each_example_shows_a_value_of_the_rules_own_shape(vendor: Vendor, rule: Rule) -> None:  # noqa: ARG001
    assert len(_values(rule)) == len(rule.examples)
    if rule.shape is not None:
        assert all(re.fullmatch(rule.shape, value) for value in _values(rule))


@pytest.mark.parametrize(("vendor", "rule"), RULES)
def test_no_example_is_a_placeholder(vendor: Vendor, rule: Rule) -> None:  # noqa: ARG001
    assert not [value for value in _values(rule) if is_placeholder(value) or value in PLACEHOLDERS]


def test_no_value_serves_two_examples() -> None:
    values = [value for _, rule in CATALOG.rules.values() for value in _values(rule) if rule.secret]
    assert len(values) == len(set(values))


@pytest.mark.parametrize(("vendor", "rule"), RULES)
def test_examples_show_two_kinds_of_context(vendor: Vendor, rule: Rule) -> None:  # noqa: ARG001
    # The text right before the value tells the kind: a call's bracket, a keyword, a variable, a header, a key.
    before = {example.split("«")[0][-12:] for example in rule.examples}
    assert len(before) == len(rule.examples)


def test_a_variable_belongs_to_one_vendor_unless_listed_here() -> None:
    owners = defaultdict(set)
    for vendor, rule in CATALOG.rules.values():
        for variable in rule.variables:
            owners[variable].add(vendor.id)
    assert {variable: found for variable, found in owners.items() if len(found) > 1} == SHARED_VARIABLES


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_within_a_vendor_a_variable_belongs_to_one_rule_unless_shapes_tell(vendor: Vendor) -> None:
    claimed: dict[str, Rule] = {}
    for rule in vendor.rules:
        for variable in rule.variables:
            other = claimed.setdefault(variable, rule)
            assert other is rule or (other.shape and rule.shape and other.shape != rule.shape), variable


def test_every_secret_variable_of_an_sdk_is_covered_by_a_rule() -> None:
    for vendor in CATALOG.vendors.values():
        covered = {variable for rule in vendor.rules for variable in rule.variables}
        assert set(vendor.environment.secret) - covered <= WITHOUT_A_RULE, vendor.id


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_a_variable_is_secret_or_config_or_danger(vendor: Vendor) -> None:
    environment = vendor.environment
    names = [*environment.secret, *environment.config, *environment.danger]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_an_import_or_package_name_is_among_the_words_or_too_common(vendor: Vendor) -> None:
    assert not COMMON_WORDS & set(vendor.words)
    assert vendor.words, "nothing near a value could point to this vendor"


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_what_mints_credentials_is_never_called_anything_else(vendor: Vendor) -> None:
    minting = re.compile(r"api-?keys?\b|auth_tokens$|regenerate|/token/oauth", re.IGNORECASE)
    for operation in vendor.operations:
        if minting.search(operation.path) and operation.method != "GRAPHQL":
            assert operation.does is OperationClass.MINT, operation.path


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_operations_are_told_apart_where_the_vendor_is_called_separable(vendor: Vendor) -> None:
    classes = defaultdict(set)
    for operation in vendor.operations:
        classes[operation.method, re.sub(r"\{\w+\}", "{}", operation.path)].add(operation.does)
    assert vendor.separable is False or all(len(found) == 1 for found in classes.values())


def test_files_stay_readable() -> None:
    folder = resources.files("jupyter_qguard.catalog").joinpath("vendors")
    lengths = {entry.name: entry.read_text(encoding="utf-8").count("\n") for entry in folder.iterdir()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
    assert sorted(lengths) == sorted(f"{vendor}.yaml" for vendor in VENDORS)


UNIQUE = [
    (rule.id, bounded(rule.shape, rule.boundary)) for _, rule in CATALOG.rules.values() if rule.unique and rule.shape
]


def test_no_unique_shape_takes_a_placeholder_for_a_credential() -> None:
    found = {(text, rule_id) for text in PLACEHOLDERS for rule_id, pattern in UNIQUE if pattern.search(text)}
    assert {text for text, _ in found} <= DOCUMENTATION_KEYS


@given(
    st.sampled_from([24, 32, 40, 64, 96, 128]),
    st.integers(0, 2**32),
    st.sampled_from(["{}", "sha256:{}", "git-{}", "v1-{}", "{}.json", "model.{}", "ABC={}", "job_{}", "/blobs/{}?x=1"]),
    st.booleans(),
)
def test_no_unique_shape_takes_a_digest_for_a_credential(length: int, seed: int, frame: str, upper: bool) -> None:  # noqa: FBT001
    digest = hexadecimal(length, seed)
    text = frame.format(digest.upper() if upper else digest)
    assert [rule_id for rule_id, pattern in UNIQUE if pattern.search(text)] == []


@given(st.uuids(), st.sampled_from(["{}", "job {}", "id={}", "https://api.example.org/jobs/{}/results"]))
def test_no_unique_shape_takes_a_job_id_for_a_credential(value: uuid.UUID, frame: str) -> None:
    text = frame.format(value)
    assert [rule_id for rule_id, pattern in UNIQUE if pattern.search(text)] == []


def test_the_page_of_brokered_vendors_is_of_this_catalogue() -> None:
    assert written(PAGE.read_text(encoding="utf-8")) == table(), "run python -m tests.catalog.table"


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
def test_what_is_not_brokered_says_why(vendor: Vendor) -> None:
    assert vendor.brokering.custody is Custody.BROKERED or vendor.brokering.limits
