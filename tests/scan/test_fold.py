"""What the folding of code must bear."""

from __future__ import annotations

import pytest

from jupyter_qguard.scan.fold.cell import fold_ungated


@pytest.mark.parametrize("argument", ['["a", "b"]', '("a",)', '"ab"', 'b"ab"', '[("a", "b")]', '"a", "b"', "7"])
def test_a_set_may_be_updated_from_anything(argument: str) -> None:
    folded = fold_ungated(f'known = {{"a": "b" + "c"}}\nknown.update({argument})\n', 0, {})
    assert folded.view is not None
