"""Text written to stall the scan: what these hold would not end, were an expression readable in two ways."""

from __future__ import annotations

from random import Random
from string import ascii_letters, digits

import pytest

from jupyter_qguard.scan import Scanner, ScanSettings
from jupyter_qguard.scan.fold import fold_cell, needs_folding

HASHES = "#" * 4000


@pytest.mark.parametrize(
    "source",
    [
        f'x = "a" {HASHES}\n  b "c"',
        f'%%R\nx <- "a" {HASHES} y "c"',
        f"x = ( {HASHES}\n b",
        f'x = "a" {"/" * 4000} b "c"',
        f'x = "a" {" " * 4000} b "c"',
    ],
)
def test_a_long_comment_is_read_in_one_way(source):
    needs_folding(source)
    fold_cell(source, 0, {})


def test_thousands_of_findings_are_told_apart_in_one_pass():
    rng = Random(4)
    values = ["".join(rng.choices(ascii_letters + digits, k=40)) for _ in range(4000)]
    text = "".join(f'api_key_{number} = "{value}"\n' for number, value in enumerate(values))
    found = Scanner.load(ScanSettings(b"k" * 32)).scan_text(text).findings
    assert [finding.line for finding in found] == list(range(1, len(values) + 1))
