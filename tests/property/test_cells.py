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
from jupyter_qguard.errors import GuardFailureError
from jupyter_qguard.scan import Classification, Scanner, ScanResult, ScanSettings
from jupyter_qguard.scan.cells import CellScanner
from jupyter_qguard.scan.judge import Judge
from jupyter_qguard.server.known import KnownNotebooks
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


class Worked:
    """A notebook that is worked on, as a server and its worker see it."""

    def __init__(self, scanner: Scanner, memory: int = 1 << 30) -> None:
        self._scanner = scanner
        self.cells = CellScanner(scanner, _decode)
        self._known = KnownNotebooks(memory)
        self.sent = 0
        """Parts that crossed at the last save."""

    def save(self, document: Json, path: str = "x.ipynb") -> ScanResult:
        prepared = prepare_notebook(document, path, self._known.parts(path))
        assert prepared.parts == prepare_notebook(document, path).parts
        request, new = self._known.question(prepared, path)
        self.sent = len(new)
        self.cells.forget(request.forgotten)
        result = self.cells.scan(new, request.places, request.base, request.number)
        if request.number:
            self._known.keep(request.number, prepared, path)
        return result

    def agree(self, document: Json, path: str = "x.ipynb") -> None:
        parts = prepare_notebook(document, path).parts
        whole = {**_decode(parts[-1]), "cells": [_decode(part) for part in parts[:-1]]}
        assert self.save(document, path) == self._scanner.scan_notebook(whole)


@slow
@given(pool=_pools(), data=st.data(), memory=st.sampled_from([0, 3000, 1 << 30]))
def test_edits_give_what_a_scan_from_nothing_gives(
    scanner: Scanner, pool: list[Json], data: st.DataObject, memory: int
) -> None:
    worked = Worked(scanner, memory)
    metadata = data.draw(st.sampled_from([{}, {"qguard": {"classification": "internal"}}, {"token": _SECRET}]))
    some = st.sampled_from(_clean(pool))
    document = {"cells": data.draw(st.lists(some, max_size=8)), "metadata": metadata, "nbformat": 4}
    worked.agree(document)
    for _ in range(data.draw(st.integers(1, 5))):
        inside = document["cells"]
        at = data.draw(st.integers(0, len(inside)))
        cut = data.draw(st.integers(0, 2))
        document["cells"] = [*inside[:at], *data.draw(st.lists(some, max_size=2)), *inside[at + cut :]]
        if data.draw(st.booleans()):
            document["cells"] = data.draw(st.permutations(document["cells"]))
        document["metadata"] = data.draw(st.sampled_from([metadata, {"note": "another"}]))
        worked.agree(document, data.draw(st.sampled_from(["x.ipynb", "x.ipynb", "y.ipynb"])))


@pytest.mark.parametrize("seed", range(3))
def test_a_long_notebook_that_is_worked_on(scanner: Scanner, seed: int) -> None:
    random, writer = Random(seed), Writer(seed)
    worked = Worked(scanner)
    document = writer.text_heavy(150_000)
    worked.agree(document)
    for _ in range(25):
        source = random.choice(_LINKED)
        at = random.randrange(len(document["cells"]))
        kept = document["cells"][at + random.randint(0, 1) :]
        document["cells"] = [*document["cells"][:at], _code(source), *kept]
        worked.agree(document)
        assert worked.sent <= 2  # of equal cells one counts as known


def test_what_was_moved_is_not_scanned_again(scanner: Scanner) -> None:
    worked, document = Worked(scanner), Writer(3).text_heavy(50_000)
    worked.agree(document)
    cells = document["cells"]
    document["cells"] = [*cells[7:9], *cells[:3], *cells[4:7], *cells[9:]]
    worked.agree(document)
    assert worked.sent == 0


def test_of_equal_cells_each_is_scanned(scanner: Scanner) -> None:
    worked, document = Worked(scanner), {"cells": [_code(_LINKED[9])] * 3, "metadata": {}, "nbformat": 4}
    worked.agree(document)
    document["cells"] = [*document["cells"], _code(_LINKED[3]), _code(_LINKED[9])]
    worked.agree(document)


def test_what_does_not_come_with_all_that_is_new_is_not_scanned(scanner: Scanner) -> None:
    cells = CellScanner(scanner, _decode)
    parts = prepare_notebook({"cells": [_code("1"), _code("2")], "metadata": {}, "nbformat": 4}, "x.ipynb").parts
    cells.scan(parts, None, 0, 1)
    for places in ((-1, -1, 2), (-1, 1, -1), (0, 1, 2)):
        with pytest.raises((GuardFailureError, LookupError)):
            cells.scan(parts[:1] if places[0] else parts, places, 1, 2)


def test_an_old_notebook_is_scanned_as_a_whole(scanner: Scanner) -> None:
    sheet = {"cells": [{"cell_type": "code", "input": f"api_key = '{_SECRET}'", "outputs": [], "metadata": {}}]}
    document = {"worksheets": [sheet], "metadata": {}, "nbformat": 3, "cells": [_code("x = 1")]}
    worked = Worked(scanner)
    for _ in range(2):
        worked.agree(document)
        assert worked.save(document).findings
        assert worked.sent == 2
    del document["worksheets"]
    worked.agree(document)


def test_constants_flow_through_remembered_cells(scanner: Scanner) -> None:
    worked = Worked(scanner)
    sources = [_LINKED[0], _LINKED[1], _LINKED[3]]
    document = {"cells": [_code(source) for source in sources], "metadata": {}, "nbformat": 4}
    assert {finding.cell.index for finding in worked.save(document).findings if finding.cell} >= {0, 1}
    document["cells"][1] = _code("part_two = 'nothing' + ''")
    worked.agree(document)


@pytest.mark.parametrize("edited", ["part_two = 1", "part_two = 'x'\nother = part_two", "x = 1"])
def test_an_edit_without_an_effect_is_told_from_one_that_has_one(scanner: Scanner, edited: str) -> None:
    """Nothing is found in the cells that are edited; what they bind flows into the last one, or does so no longer."""
    middle = ["x = 1", "part_two = 1", "other = 2"]
    document = {"cells": [_code(_LINKED[0]), _code(_LINKED[1]), *map(_code, middle), _code(_LINKED[3])]}
    document = {**document, "metadata": {}, "nbformat": 4}
    worked = Worked(scanner)
    worked.agree(document)
    for place in (2, 3, 4, 2):
        document["cells"][place] = _code(edited)
        worked.agree(document)
        document["cells"][place] = _code(middle[place - 2])
        worked.agree(document)
    document["cells"][1:4] = [document["cells"][3], document["cells"][1], document["cells"][2]]
    worked.agree(document)


def test_a_scan_that_failed_halfway_leaves_no_half_known_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = Worked(Scanner.load(_SETTINGS))
    source = f"from qiskit_ibm_runtime import QiskitRuntimeService\nQiskitRuntimeService(token='{_SECRET}')"
    document = {"cells": [_code(source)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    worked.save({**document, "cells": []})

    def failing(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Judge, "candidates", failing)
        with pytest.raises(MemoryError):
            worked.save(document)
    assert worked.save(document).findings
