"""Text written to stall the scan: what these hold would not end, were an expression readable in two ways."""

from __future__ import annotations

import pytest

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
