"""What the catalogue promises to be found is found, by the real scanner.

Which of several fitting rules a finding names is the scanner's own business; that the value goes, and nothing beside
it, is the promise.
"""

from __future__ import annotations

import pytest

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.scan import Scanner, ScanSettings

EXAMPLES = [
    pytest.param(example, id=f"{rule.id}-{number}")
    for _, rule in load_catalog().rules.values()
    for number, example in enumerate(rule.examples)
    if rule.secret
]


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.load(ScanSettings(fingerprint_key=bytes(32)))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_secret_is_found_to_the_letter(scanner: Scanner, example: str) -> None:
    before, value, after = example.replace("»", "«").split("«")
    found = scanner.scan_text(before + value + after).findings
    assert ((len(before), len(before) + len(value)),) in [finding.spans for finding in found]


def test_without_its_context_an_ambiguous_value_is_left_alone(scanner: Scanner) -> None:
    for _, rule in load_catalog().rules.values():
        if rule.unique or not rule.secret or rule.shape is None or "eyJ" in rule.shape:
            continue
        value = rule.examples[0].replace("»", "«").split("«")[1]
        assert scanner.scan_text(f"The checksum is {value} today.").findings == (), rule.id
