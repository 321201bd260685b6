"""The register of decisions and the book of overrides: what is one decision, and how long it holds."""

from __future__ import annotations

import pytest

from jupyter_qguard.server.decisions import FINDINGS_KEPT, KEPT, Decision, DecisionRegister, Outcome, OverrideBook
from tests.server.findings import finding
from tests.server.test_uploads import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def register(clock: Clock) -> DecisionRegister:
    return DecisionRegister(clock)


@pytest.fixture
def book(clock: Clock) -> OverrideBook:
    return OverrideBook(clock)


def refused(register: DecisionRegister, path: str = "n.ipynb", *fingerprints: str) -> Decision:
    findings = tuple(finding(fingerprint=each) for each in fingerprints or ("a",))
    return register.add(path, Outcome.REFUSED, findings, "reason")[0]


def test_an_equal_refusal_is_the_same_decision(register: DecisionRegister) -> None:
    first, new = register.add("n.ipynb", Outcome.REFUSED, (finding(fingerprint="a"),), "reason")
    again, newer = register.add("n.ipynb", Outcome.REFUSED, (finding("/cells/1/source", fingerprint="a"),), "other")
    assert (first, new, newer) == (again, True, False)


def test_another_path_outcome_or_finding_is_another_decision(register: DecisionRegister) -> None:
    first = refused(register)
    assert refused(register, "o.ipynb").id != first.id
    assert register.add("n.ipynb", Outcome.REDACTED, (finding(fingerprint="a"),), "r")[0].id != first.id
    assert refused(register, "n.ipynb", "a", "b").id != first.id


def test_a_clean_write_ends_a_decision_but_it_can_still_be_asked_for(register: DecisionRegister) -> None:
    first = refused(register)
    register.settle("n.ipynb")
    assert refused(register).id != first.id
    assert register.get(first.id) == first


def test_decisions_are_forgotten_after_an_hour_and_beyond_a_number(register: DecisionRegister, clock: Clock) -> None:
    first = refused(register)
    clock.now = 3599.0
    assert register.get(first.id) is not None
    clock.now = 3601.0
    assert register.get(first.id) is None
    ids = [refused(register, f"{number}.ipynb").id for number in range(KEPT + 10)]
    assert register.get(ids[0]) is None
    assert register.get(ids[-1]) is not None


def test_all_findings_count_and_some_are_kept(register: DecisionRegister) -> None:
    decision = refused(register, "n.ipynb", *(str(number) for number in range(FINDINGS_KEPT + 5)))
    assert (len(decision.findings), decision.count, len(decision.fingerprints)) == (200, 205, 205)


def test_an_override_holds_for_its_path_and_findings_and_ten_minutes(
    register: DecisionRegister, book: OverrideBook, clock: Clock
) -> None:
    decision = refused(register, "n.ipynb", "a", "b")
    assert book.grant(decision) == 600.0
    assert book.at("n.ipynb") == {"a", "b"}
    assert book.at("o.ipynb") == frozenset()
    assert book.granted_by("n.ipynb", frozenset({"a"})) == decision.id
    assert book.granted_by("n.ipynb", frozenset({"c"})) == ""
    clock.now = 599.0
    assert book.at("n.ipynb") == {"a", "b"}
    clock.now = 600.0
    assert book.at("n.ipynb") == frozenset()


def test_the_later_of_two_overrides_is_the_one_that_is_named(
    register: DecisionRegister, book: OverrideBook, clock: Clock
) -> None:
    book.grant(refused(register, "n.ipynb", "a"))
    clock.now = 10.0
    later = refused(register, "n.ipynb", "b")
    book.grant(later)
    assert book.granted_by("n.ipynb", frozenset({"a", "b"})) == later.id
