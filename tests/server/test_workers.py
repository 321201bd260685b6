"""The pool of processes: it scans, it heals, and it never leaves anybody waiting. With real processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_qguard.errors import GuardFailureError, InputError
from jupyter_qguard.scan import Classification, ScanSettings
from jupyter_qguard.server.child import WorkerDiedError
from jupyter_qguard.server.prepared import prepare_bytes, prepare_notebook
from jupyter_qguard.server.wire import Channel
from jupyter_qguard.server.workers import PoolSettings, WorkerPool
from tests.server.findings import finding
from tests.server.planted import code, in_source, line, make_secret, notebook

pytestmark = pytest.mark.e2e
SECRET = make_secret("pool")
RULES = ScanSettings(b"k" * 32)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    started = WorkerPool(PoolSettings(count=2), RULES, print)
    started.start()
    yield started
    started.close()


def found(pool: WorkerPool, path: str = "n.ipynb") -> list[str]:
    result = pool.scan(prepare_notebook(in_source(SECRET), path), path)
    return [finding.pointer for finding in result.findings]


def wait_until_gone(pool: WorkerPool) -> bool:
    for _ in range(600):
        if not pool.state().ready:
            return True
        time.sleep(0.01)
    return False


def test_it_scans_notebooks_and_files_and_redacts(pool: WorkerPool) -> None:
    assert found(pool) == ["/cells/0/source"]
    data = line(SECRET).encode()
    result = pool.scan(prepare_bytes(data, "f.env"), "f.env")
    assert SECRET.encode() not in pool.redact(data, "f.env", result.findings)


def test_what_a_worker_knows_is_not_sent_again_and_what_it_no_longer_knows_is(pool: WorkerPool) -> None:
    path, clean = "known.ipynb", notebook(code("1"), code("2"))
    pool.scan(prepare_notebook(clean, path), path)
    document = {**clean, "cells": [*clean["cells"], *in_source(SECRET)["cells"]]}
    prepared = prepare_notebook(document, path, pool.known_parts(path))
    assert prepared.fresh == len(prepared.parts[2])
    for _ in range(2):
        assert [finding.pointer for finding in pool.scan(prepared, path).findings] == ["/cells/2/source"]
        for pid in pool.state().pids:
            os.kill(pid, signal.SIGKILL)
        assert wait_until_gone(pool)
    assert pool.scan(prepare_notebook(clean, path, pool.known_parts(path)), path).findings == ()


def test_whoever_waits_for_a_worker_that_is_killed_is_told_and_the_next_is_served(pool: WorkerPool) -> None:
    for _ in range(2):
        found(pool)
        for pid in pool.state().pids:
            os.kill(pid, signal.SIGKILL)
        for attempt in range(4):
            try:
                assert found(pool) == ["/cells/0/source"]
                break
            except WorkerDiedError:
                assert attempt < 3
    assert pool.state().trouble is None


def test_many_at_once_are_all_answered(pool: WorkerPool) -> None:
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda number: found(pool, f"{number}.ipynb"), range(60)))
    assert answers == [["/cells/0/source"]] * 60


def test_a_document_that_cannot_be_read_is_its_own_fault_and_hurts_no_worker(pool: WorkerPool) -> None:
    found(pool)
    pids = pool.state().pids
    with pytest.raises(InputError):
        pool.scan(prepare_bytes(b"{", "n.ipynb"), "n.ipynb")
    with pytest.raises(InputError):
        pool.redact(b"{", "n.ipynb", (finding(),))
    assert found(pool) == ["/cells/0/source"]
    assert set(pids) & set(pool.state().pids)


def test_other_rules_hold_for_the_next_document(pool: WorkerPool) -> None:
    document = prepare_notebook(notebook(code("project = 'PRJ-4711'")), "n.ipynb")
    assert pool.scan(document, "n.ipynb").findings == ()
    pool.use_rules(ScanSettings(b"k" * 32, {"project": Classification.INTERNAL}, {"project": r"PRJ-\d{4}"}))
    result = pool.scan(document, "n.ipynb")
    assert len(result.findings) + len(result.labels) == 1
    pool.use_rules(RULES)
    assert pool.scan(document, "n.ipynb").findings == ()


def test_a_worker_that_cannot_start_refuses_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder for rules")
    broken = WorkerPool(
        PoolSettings(count=1, start_patience=0.001), ScanSettings(b"k" * 32, {}, {}, tmp_path / "file"), print
    )
    broken.start()
    try:
        with pytest.raises(GuardFailureError):
            found(broken)
        assert broken.state().trouble
        assert broken.state().ready == 0
    finally:
        broken.close()


def test_a_closed_pool_refuses() -> None:
    closed = WorkerPool(PoolSettings(count=1), RULES, print)
    closed.start()
    closed.close()
    closed._lanes[0]._thread.join(30)
    with pytest.raises(WorkerDiedError):
        found(closed)
    assert closed.state().pids == ()


def test_an_answer_that_was_not_read_is_not_taken_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool(PoolSettings(count=1), RULES, print)
    pool.start()
    try:
        found(pool)
        clean = prepare_notebook(notebook(code("1")), "n.ipynb")

        def without_memory(*_: object) -> None:
            raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr(Channel, "receive", without_memory)
            with pytest.raises(MemoryError):
                pool.scan(clean, "n.ipynb")
        assert found(pool) == ["/cells/0/source"]
    finally:
        pool.close()
