"""Strategies for property tests: JSON values, notebooks of every shape, credentials, notebooks that hold some."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from benchmarks.credentials import Credential, load_credentials
from benchmarks.grid import Case, make_case
from benchmarks.marks import unmark
from benchmarks.places import PLACES, Place
from benchmarks.values import fill

Json = Any
"""Any JSON value."""

CREDENTIALS = load_credentials()
texts = st.text(st.characters(exclude_categories=()), max_size=60)
"""Any text, lone surrogates and NUL included."""
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
json_values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
line_lists = st.lists(texts, max_size=4)
multiline = st.one_of(texts, line_lists)
"""What nbformat calls a multiline string: a string or a list of strings, however it is cut."""
mime_types = st.sampled_from(
    ["text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript", "image/png"]
)
json_mime_types = st.sampled_from(["application/json", "application/vnd.lab.v1+json", "application/geo+json"])
bundles = st.builds(
    lambda texts, jsons: texts | jsons,
    st.dictionaries(mime_types, multiline, max_size=2),
    st.dictionaries(json_mime_types, json_values, max_size=1),
)
metadata = st.dictionaries(st.text(max_size=12), json_values, max_size=2)
streams = st.fixed_dictionaries(
    {"output_type": st.just("stream"), "name": st.sampled_from(["stdout", "stderr"]), "text": multiline}
)
errors = st.fixed_dictionaries(
    {"output_type": st.just("error"), "ename": texts, "evalue": texts, "traceback": st.lists(texts, max_size=3)}
)
displays = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["display_data", "update_display_data"]), "data": bundles, "metadata": metadata}
)
results = st.fixed_dictionaries(
    {
        "output_type": st.just("execute_result"),
        "data": bundles,
        "metadata": metadata,
        "execution_count": st.integers(0, 99),
    }
)
outputs = st.lists(st.one_of(streams, errors, displays, results), max_size=3)
code_cells = st.fixed_dictionaries(
    {"cell_type": st.just("code"), "source": multiline, "metadata": metadata, "outputs": outputs},
    optional={"id": st.text("abc-_0", min_size=1, max_size=8), "execution_count": st.one_of(st.none(), st.integers())},
)
prose_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "raw"]), "source": multiline, "metadata": metadata},
    optional={"attachments": st.dictionaries(st.text(max_size=8), bundles, max_size=1)},
)
cells = st.lists(st.one_of(code_cells, prose_cells), max_size=4)
notebooks: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {"cells": cells, "metadata": metadata, "nbformat": st.just(4), "nbformat_minor": st.integers(0, 5)}
)
"""Notebooks of nbformat 4 with any content."""


def values_of(credential: Credential) -> st.SearchStrategy[str]:
    """Random values of one kind of credential."""
    return st.integers(0, 2**32).map(
        lambda seed: unmark(fill(credential.value, Random(seed)).replace("<<", "").replace(">>", ""))
    )


def _case(credential: Credential, place: Place, seed: int) -> Case | None:
    return make_case(credential, place, seed) if place.suits(credential) else None


cases: st.SearchStrategy[Case] = st.builds(
    _case, st.sampled_from(CREDENTIALS), st.sampled_from(list(PLACES.values())), st.integers(0, 2**32)
).filter(lambda case: case is not None)  # type: ignore[assignment] # the filter leaves no None
"""Notebooks of the grid, with fresh values and the truth about them."""
