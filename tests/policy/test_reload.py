from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_qguard.policy.model import Action
from jupyter_qguard.policy.reload import LivePolicy

HEAD = "apiVersion: qguard/v1\n"


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    path = tmp_path / "policy.yaml"
    write(path, HEAD + "scan: {output: block}\n")
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


def live(floor: Path) -> LivePolicy:
    return LivePolicy(floor_path=floor, environ={}, home=floor.parent / "home", owner=os.geteuid())


def test_nothing_happens_while_nothing_changes(floor: Path) -> None:
    policy = live(floor)
    before = policy.current
    assert not policy.refresh()
    assert policy.current is before


def test_a_good_edit_is_taken_over(floor: Path) -> None:
    policy = live(floor)
    write(floor, HEAD + "scan: {output: warn, source: redact}\n")
    assert policy.refresh()
    assert policy.current.policy.scan.output is Action.WARN
    assert not policy.refresh()


def test_a_broken_edit_keeps_the_last_good_policy_and_says_so(floor: Path) -> None:
    policy = live(floor)
    write(floor, HEAD + "scan: {output: wern}\n")
    assert policy.refresh()
    assert policy.current.policy.scan.output is Action.BLOCK
    assert "stays in force" in policy.current.notices[-1]
    assert "`wern`" in policy.current.notices[-1]
    write(floor, HEAD + "scan: {output: redact}\n")
    assert policy.refresh()
    assert policy.current.notices == ()


def test_a_file_that_is_gone_stays_in_force(floor: Path) -> None:
    policy = live(floor)
    floor.unlink()
    assert policy.refresh()
    assert policy.current.policy.scan.output is Action.BLOCK
    assert f"{floor} is gone" in policy.current.notices[-1]


def test_a_floor_that_loses_its_trust_shuts_at_once(floor: Path) -> None:
    policy = live(floor)
    floor.chmod(0o666)
    assert policy.refresh()
    assert policy.current.strictest


def test_a_server_that_starts_with_a_broken_policy_takes_the_mended_one(floor: Path) -> None:
    write(floor, "nonsense\n")
    policy = live(floor)
    assert policy.current.strictest
    write(floor, HEAD)
    assert policy.refresh()
    assert not policy.current.strictest


def test_a_first_policy_appears(floor: Path) -> None:
    floor.unlink()
    policy = live(floor)
    assert policy.current.policy.scan.output is Action.REDACT
    write(floor, HEAD + "scan: {output: block}\n")
    assert policy.refresh()
    assert policy.current.policy.scan.output is Action.BLOCK
