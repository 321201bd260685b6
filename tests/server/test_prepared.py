"""Documents on their way to a worker: what has the same name, and what cannot be sent."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_qguard.errors import InputError
from jupyter_qguard.server.prepared import prepare_bytes, prepare_notebook
from tests.server.planted import code, notebook


def digest(document: dict[str, Any]) -> bytes:
    return prepare_notebook(document, "n.ipynb").digest


def test_equal_content_has_one_digest_and_other_content_another() -> None:
    first = notebook(code("a"), code("b", number=1))
    assert digest(first) == digest(notebook(code("a"), code("b", number=1)))
    others = [
        notebook(code("b", number=1), code("a")),
        notebook(code("a")),
        notebook(code("a"), code("b", number=1), note=1),
        notebook(code("a"), code("b", number=2)),
        notebook(code("ab")),
    ]
    assert len({digest(first), *map(digest, others)}) == 6


def test_the_ending_of_a_file_is_part_of_what_it_is() -> None:
    """The same bytes are read in another way as a notebook than as a text."""
    names = ("a.ipynb", "b.IPYNB", "a.txt", "b.py")
    first, second, third, fourth = (prepare_bytes(b"{}", name).digest for name in names)
    assert first == second != third == fourth


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("\ud800", "half of a surrogate pair"),
        ({"\udfff": 1}, "half of a surrogate pair"),
        ({1, 2, 3}.__iter__(), "no JSON"),
        (object(), "no JSON"),
    ],
)
def test_what_no_notebook_can_hold_is_refused_and_told_where(value: object, reason: str) -> None:
    with pytest.raises(InputError, match=f"cell 2 holds .*{reason}"):
        prepare_notebook(notebook(code("a"), {"cell_type": "raw", "source": value}), "n.ipynb")
    with pytest.raises(InputError, match=f"outside of its cells holds .*{reason}"):
        prepare_notebook(notebook(note=value), "n.ipynb")


def test_endless_nesting_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InputError, match="nested too deeply"):
        prepare_notebook(notebook(note=endless), "n.ipynb")


def test_numbers_of_any_size_can_be_sent() -> None:
    assert digest(notebook(note=[2**64, -(2**63) - 1, {"a": 10**300}])) != digest(notebook(note=[2**64]))
    assert prepare_notebook(notebook(note=float("nan")), "n.ipynb").size > 0


@pytest.mark.parametrize("value", [b"text", {"deep": [b"text"]}, bytearray(b"text")])
def test_bytes_are_refused_since_nbformat_writes_them_as_text(value: object) -> None:
    with pytest.raises(InputError, match="no JSON"):
        prepare_notebook(notebook(code("1", {"output_type": "display_data", "data": {"text/plain": value}})), "n.ipynb")
    with pytest.raises(InputError, match="no JSON"):
        prepare_notebook(notebook(code("1"), blob=value), "n.ipynb")
