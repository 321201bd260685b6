"""What is remembered of cells never changes what is found: after any edits the result is that of a scan from nothing."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.generated import Writer
from benchmarks.grid import Case
from jupyter_qguard.scan import Classification, Scanner, ScanSettings
from jupyter_qguard.scan.cells import CellScanner
from jupyter_qguard.scan.judge import Judge
from jupyter_qguard.server.prepared import prepare_notebook
from tests.property.strategies import cases, notebooks

Json = dict[str, Any]
_SETTINGS = ScanSettings(
    bytes(32),
    {"account_identifier": Classification.CONFIDENTIAL, "lab_code": Classification.INTERNAL},
    {"lab_code": r"qubit \d|gate[ _]\w+"},
)
_SECRET = "".join(Random(7).choices("abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJK", k=44))
_LINKED = (
    f"part_one = '{_SECRET[:22]}'",
    f"part_two = '{_SECRET[22:]}' + ''",
    "part_one = 'nothing' + str(3)",
    "service = QiskitRuntimeService(channel='ibm_quantum_platform', token=part_one + part_two)",
    "from dwave.system import DWaveSampler\nsampler = DWaveSampler(token=part_one)",
    f"value = '{_SECRET}'  # qguard: allow[*] a test",
    f"print('{_SECRET}')",
    f"IonQ api_key: {_SECRET}",
    "config = {'api' + '_key': part_two}\nprint(config)",
    "import os\nos.environ['IONQ_API_KEY'] = part_one * 2",
    "account crn:v1:bluemix:public:quantum-computing:us-east:a/" + "0f" * 16 + ":" + "12345678-" * 3 + "ab::",
)
"""Sources of cells whose findings depend on each other: constants, vendors, copies of a value."""

slow = settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _code(source: str) -> Json:
    output = {"output_type": "stream", "name": "stdout", "text": source[:80]}
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [output], "execution_count": None}


@st.composite
def _pools(draw: st.DrawFn) -> list[Json]:
    """Cells to put notebooks together from."""
    pool = [_code(source) for source in draw(st.lists(st.sampled_from(_LINKED), max_size=6))]
    for case in draw(st.lists(cases, max_size=3)):
        pool += _cells_of(case)
    pool += draw(notebooks)["cells"]
    writer = Writer(draw(st.integers(0, 2**32)))
    return [*pool, writer.code(), writer.prose(), {"cell_type": "markdown", "source": "", "metadata": {}}]


def _cells_of(case: Case) -> list[Json]:
    cells = case.notebook.get("cells", ())
    return [cell for cell in cells if isinstance(cell, dict)]


def _clean(value: Any) -> Any:
    """*value* without halves of surrogate pairs, which no notebook file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return {_clean(key): _clean(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.load(_SETTINGS)


def _decode(part: Any) -> Any:
    return msgspec.msgpack.decode(part, strict=False)


def _agree(scanner: Scanner, cells: CellScanner, document: Json) -> None:
    parts = prepare_notebook(document, "x.ipynb").parts
    whole = {**_decode(parts[-1]), "cells": [_decode(part) for part in parts[:-1]]}
    assert cells.scan(parts) == scanner.scan_notebook(whole)


@slow
@given(pool=_pools(), data=st.data(), memory=st.sampled_from([0, 3000, 1 << 30]))
def test_edits_give_what_a_scan_from_nothing_gives(
    scanner: Scanner, pool: list[Json], data: st.DataObject, memory: int
) -> None:
    cells = CellScanner(scanner, _decode)
    metadata = data.draw(st.sampled_from([{}, {"qguard": {"classification": "internal"}}, {"token": _SECRET}]))
    some = st.sampled_from(_clean(pool))
    document = {"cells": data.draw(st.lists(some, max_size=8)), "metadata": metadata, "nbformat": 4}
    _agree(scanner, cells, document)
    for _ in range(data.draw(st.integers(1, 5))):
        inside = document["cells"]
        at = data.draw(st.integers(0, len(inside)))
        cut = data.draw(st.integers(0, 2))
        document["cells"] = [*inside[:at], *data.draw(st.lists(some, max_size=2)), *inside[at + cut :]]
        _agree(scanner, cells, document)


@pytest.mark.parametrize("seed", range(3))
def test_a_long_notebook_that_is_worked_on(scanner: Scanner, seed: int) -> None:
    random, writer = Random(seed), Writer(seed)
    cells = CellScanner(scanner, _decode)
    document = writer.text_heavy(150_000)
    for _ in range(25):
        source = random.choice(_LINKED)
        at = random.randrange(len(document["cells"]))
        kept = document["cells"][at + random.randint(0, 1) :]
        document["cells"] = [*document["cells"][:at], _code(source), *kept]
        _agree(scanner, cells, document)


def test_an_old_notebook_is_scanned_as_a_whole(scanner: Scanner) -> None:
    sheet = {"cells": [{"cell_type": "code", "input": f"api_key = '{_SECRET}'", "outputs": [], "metadata": {}}]}
    document = {"worksheets": [sheet], "metadata": {}, "nbformat": 3, "cells": [_code("x = 1")]}
    cells = CellScanner(scanner, _decode)
    parts = prepare_notebook(document, "x.ipynb").parts
    assert cells.scan(parts) == scanner.scan_notebook(document)
    assert cells.scan(parts).findings


def test_constants_flow_through_remembered_cells(scanner: Scanner) -> None:
    cells = CellScanner(scanner, _decode)
    sources = [_LINKED[0], _LINKED[1], _LINKED[3]]
    document = {"cells": [_code(source) for source in sources], "metadata": {}, "nbformat": 4}
    parts = prepare_notebook(document, "x.ipynb").parts
    assert {finding.cell.index for finding in cells.scan(parts).findings if finding.cell} >= {0, 1}
    document["cells"][1] = _code("part_two = 'nothing' + ''")
    assert cells.scan(prepare_notebook(document, "x.ipynb").parts) == scanner.scan_notebook(document)


def test_a_scan_that_failed_halfway_leaves_no_half_known_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = CellScanner(Scanner.load(_SETTINGS), msgspec.msgpack.decode)
    source = f"from qiskit_ibm_runtime import QiskitRuntimeService\nQiskitRuntimeService(token='{_SECRET}')"
    document = {"cells": [_code(source)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    parts = prepare_notebook(document, "n.ipynb").parts

    def failing(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Judge, "candidates", failing)
        with pytest.raises(MemoryError):
            scanner.scan(parts)
    assert scanner.scan(parts).findings
