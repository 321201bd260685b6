"""The gate's own memory and order: which files are as a cleared write left them, and who writes first."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_qguard.policy import LoadedPolicy, Policy
from jupyter_qguard.scan import Finding
from jupyter_qguard.server.decisions import DecisionRegister, Outcome
from jupyter_qguard.server.gate import Gate, told
from jupyter_qguard.server.guard import Clearance
from jupyter_qguard.server.passage import Passage, passing
from jupyter_qguard.server.signature import noted
from jupyter_qguard.server.submission import Form, Submission
from tests.server.findings import finding

IN_FORCE: list[LoadedPolicy] = [LoadedPolicy(Policy(), ())]


@pytest.fixture
def gate() -> Gate:
    """A gate whose guard is not asked, and is told in vain what was written."""
    guard = SimpleNamespace(
        classes=SimpleNamespace(written=lambda *_: None), policy=SimpleNamespace(current=lambda: IN_FORCE[-1])
    )
    return Gate(cast("Any", guard), cast("Any", None), ThreadPoolExecutor(1))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "n.txt"
    path.write_text("one\n")
    return path


def cleared(outcome: Outcome | None = None) -> Clearance:
    decision = None
    if outcome is not None:
        findings: tuple[Finding, ...] = (finding(),)
        decision = DecisionRegister().add("n.txt", outcome, findings, "reason")[0]
    return Clearance(Submission("n.txt", Form.TEXT, data=b"one\n"), decision, "words", IN_FORCE[-1])


def written(file: Path, clearance: Clearance | None) -> Passage:
    """A cleared write of *file* that is done."""
    passage = Passage("n.txt", None, clearance)
    with noted(passage, file.open("r+")):
        pass
    return passage


@pytest.mark.parametrize(
    ("clearance", "known"),
    [
        (cleared(), True),
        (cleared(Outcome.REDACTED), True),
        (cleared(Outcome.WARNED), False),
        (cleared(Outcome.OVERRIDDEN), False),
        (None, False),
    ],
)
def test_only_what_was_written_clean_is_known_again(
    gate: Gate, file: Path, clearance: Clearance | None, *, known: bool
) -> None:
    gate.remember(written(file, clearance), str(file))
    assert gate.is_as_written("n.txt", str(file)) is known


def test_any_later_change_of_the_file_is_noticed(gate: Gate, file: Path) -> None:
    gate.remember(written(file, cleared()), str(file))
    found = file.stat()
    file.write_text("two\n")  # as long as before
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))  # and as old
    assert not gate.is_as_written("n.txt", str(file))


def test_what_another_program_wrote_before_the_save_was_over_is_not_taken_for_the_save(gate: Gate, file: Path) -> None:
    passage = written(file, cleared())
    file.write_text("two\n")
    gate.remember(passage, str(file))
    assert not gate.is_as_written("n.txt", str(file))


def test_what_counted_as_clean_does_not_under_another_policy(gate: Gate, file: Path) -> None:
    gate.remember(written(file, cleared()), str(file))
    IN_FORCE.append(LoadedPolicy(Policy(), ()))
    assert not gate.is_as_written("n.txt", str(file))


def test_a_file_that_is_gone_or_another_is_not_known(gate: Gate, file: Path) -> None:
    gate.remember(written(file, cleared()), str(file))
    (file.parent / "new").write_text("two\n")
    (file.parent / "new").replace(file)
    assert not gate.is_as_written("n.txt", str(file))
    file.unlink()
    assert not gate.is_as_written("n.txt", str(file))


def test_while_it_is_written_a_file_counts_as_known(gate: Gate, file: Path) -> None:
    with passing(Passage("n.txt", None, None)):
        assert gate.is_as_written("n.txt", str(file))
    assert not gate.is_as_written("n.txt", str(file))


def test_writes_of_one_path_take_turns_and_others_do_not_wait(gate: Gate) -> None:
    order: list[str] = []

    async def write(path: str, name: str, steps: int) -> None:
        async with gate.turn(path):
            for _ in range(steps):
                await asyncio.sleep(0)
            order.append(name)

    async def all_of_them() -> None:
        await asyncio.gather(write("/n", "first", 9), write("n", "second", 0), write("m", "other", 0))

    asyncio.run(all_of_them())
    assert order == ["other", "first", "second"]


def test_a_write_inside_of_a_write_does_not_wait_for_itself(gate: Gate) -> None:
    async def nested() -> None:
        async with gate.turn("n"):
            with passing(Passage("n", None, None)):
                async with gate.turn("n"):
                    pass

    asyncio.run(asyncio.wait_for(nested(), 5))


def test_a_client_is_told_of_a_write_with_findings_only() -> None:
    assert told({"name": "n"}, cleared()) == {"name": "n"}
    answer = told({"name": "n", "message": "invalid"}, cleared(Outcome.REDACTED))
    assert answer["message"] == "invalid\nwords"
    assert answer["qguard"]["outcome"] == "redacted"
    assert told(None, cleared(Outcome.REDACTED)) is None
