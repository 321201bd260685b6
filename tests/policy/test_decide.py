from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.policy.decide import decide_class_change, decide_save
from jupyter_qguard.policy.model import (
    STARTER,
    STRICTEST,
    Action,
    ExceptionKind,
    Mode,
    Policy,
    PolicyException,
    ScanPolicy,
)
from jupyter_qguard.scan.finding import Classification, Finding, Place, ScanResult

from .strategies import TODAY, finding, findings, overrides, paths, policies, results, stated

OBSERVING = Policy(scan=ScanPolicy(mode=Mode.OBSERVE))


@given(policies, results, overrides, paths)
def test_every_save_gets_a_verdict_with_a_reason(
    policy: Policy, result: ScanResult, overridden: frozenset[str], path: str | None
) -> None:
    verdict = decide_save(policy, result, overridden, today=TODAY, path=path)
    assert verdict.reason
    assert verdict == decide_save(policy, result, overridden, today=TODAY, path=path)
    assert verdict.action >= verdict.would
    assert sum(len(group) for group in verdict.by_action.values()) == len(result.findings)
    assert all(verdict.by_action[action] == () for action in Action if action < verdict.would)
    if policy.scan.mode is Mode.OBSERVE:
        assert verdict.action >= Action.WARN


@given(policies, results, findings, overrides, paths)
def test_one_more_finding_never_weakens_a_verdict(
    policy: Policy, result: ScanResult, more: Finding, overridden: frozenset[str], path: str | None
) -> None:
    wider = dataclasses.replace(result, findings=(*result.findings, more))
    before = decide_save(policy, result, overridden, today=TODAY, path=path)
    after = decide_save(policy, wider, overridden, today=TODAY, path=path)
    assert after.action <= before.action
    assert after.would <= before.would


@given(policies, results, st.sampled_from(Place))
def test_a_stricter_policy_never_weakens_a_verdict(policy: Policy, result: ScanResult, place: Place) -> None:
    stricter = dataclasses.replace(policy, scan=dataclasses.replace(policy.scan, **{place.value: Action.BLOCK}))
    assert decide_save(stricter, result, today=TODAY).would <= decide_save(policy, result, today=TODAY).would


@given(results)
def test_the_strictest_policy_lets_nothing_through_that_was_found(result: ScanResult) -> None:
    verdict = decide_save(STRICTEST, result)
    assert verdict.action is (Action.BLOCK if result.findings else Action.ALLOW)


@pytest.mark.parametrize(
    ("place", "action"),
    [
        (Place.SOURCE, Action.BLOCK),
        (Place.OUTPUT, Action.REDACT),
        (Place.METADATA, Action.REDACT),
        (Place.TEXT_FILE, Action.BLOCK),
    ],
)
def test_the_place_of_a_credential_decides(place: Place, action: Action) -> None:
    verdict = decide_save(STARTER, ScanResult((finding(place=place),)))
    assert verdict.action is verdict.would is action
    assert verdict.rule_ids == ("ionq-api-key",)


def test_the_reason_says_what_where_and_what_to_do() -> None:
    reason = decide_save(STARTER, ScanResult((finding(),))).reason
    assert "An example of ionq-api-key (cell 3, source, line 1)." in reason
    assert "Nothing was written and nothing is lost." in reason
    assert "revoked" in reason


def test_many_findings_are_counted_in_the_reason() -> None:
    many = tuple(finding(index=index) for index in range(9))
    assert "and 6 more" in decide_save(STARTER, ScanResult(many)).reason


def test_the_worst_action_wins() -> None:
    found = ScanResult((finding(place=Place.OUTPUT, rule_id="jwt"), finding()))
    verdict = decide_save(STARTER, found)
    assert verdict.action is Action.BLOCK
    assert verdict.rule_ids == ("ionq-api-key",)
    assert len(verdict.by_action[Action.REDACT]) == 1


def test_observing_warns_and_records_what_would_have_happened() -> None:
    verdict = decide_save(OBSERVING, ScanResult((finding(),)))
    assert (verdict.action, verdict.would) == (Action.WARN, Action.BLOCK)
    assert "only observes" in verdict.reason


DATA_POLICY = Policy(classify={"calibration_snapshot": Classification.CONFIDENTIAL})


@pytest.mark.parametrize(
    ("states", "action"),
    [
        (None, Action.REDACT),
        (Classification.PUBLIC, Action.REDACT),
        (Classification.INTERNAL, Action.REDACT),
        (Classification.CONFIDENTIAL, Action.ALLOW),
        (Classification.RESTRICTED, Action.ALLOW),
    ],
)
def test_data_is_acted_upon_above_the_class_of_the_notebook(states: Classification | None, action: Action) -> None:
    datum = finding("calibration_snapshot", Place.OUTPUT, Classification.CONFIDENTIAL)
    assert decide_save(DATA_POLICY, ScanResult((datum,), stated=states)).action is action


def test_a_credential_stays_one_whatever_classify_and_the_notebook_say() -> None:
    lenient = Policy(classify={"jwt": Classification.PUBLIC})
    found = ScanResult((finding("jwt"),), stated=Classification.RESTRICTED)
    assert decide_save(lenient, found).action is Action.BLOCK


def test_an_override_lets_this_save_through_and_says_so() -> None:
    verdict = decide_save(STARTER, ScanResult((finding(fingerprint="a" * 32),)), frozenset({"a" * 32}))
    assert verdict.action is Action.ALLOW
    assert verdict.overridden == {"a" * 32}
    assert verdict.rule_ids == ("ionq-api-key",)
    assert "gave a reason" in verdict.reason


def test_an_override_that_leaves_one_blocking_finding_out_counts_for_nothing() -> None:
    found = ScanResult((finding(fingerprint="a" * 32), finding(fingerprint="b" * 32)))
    verdict = decide_save(STARTER, found, frozenset({"a" * 32}))
    assert verdict.action is Action.BLOCK
    assert len(verdict.by_action[Action.BLOCK]) == 2
    assert verdict.overridden == frozenset()


def test_an_override_leaves_other_findings_redacted() -> None:
    found = ScanResult((finding(fingerprint="a" * 32), finding(place=Place.OUTPUT, fingerprint="b" * 32)))
    assert decide_save(STARTER, found, frozenset({"a" * 32})).action is Action.REDACT


def exception(expires: dt.date, paths: str | None = None) -> PolicyException:
    return PolicyException(
        kind=ExceptionKind.RULE,
        target="ionq-api-key",
        paths=paths,
        owner="lab",
        reason="course with throw-away keys",
        compensating_control="keys of the simulator",
        expires=expires,
    )


@pytest.mark.parametrize(
    ("bend", "path", "action"),
    [
        (exception(TODAY), None, Action.WARN),
        (exception(TODAY - dt.timedelta(1)), None, Action.BLOCK),
        (exception(TODAY, "teaching/*"), "teaching/a/b.ipynb", Action.WARN),
        (exception(TODAY, "teaching/*"), "research/b.ipynb", Action.BLOCK),
        (exception(TODAY, "teaching/*"), None, Action.BLOCK),
    ],
)
def test_an_exception_bends_until_its_last_day_and_only_where_it_says(
    bend: PolicyException, path: str | None, action: Action
) -> None:
    policy = Policy(exceptions=(bend,))
    assert decide_save(policy, ScanResult((finding(),)), today=TODAY, path=path).action is action


def test_without_a_day_no_exception_holds() -> None:
    assert decide_save(Policy(exceptions=(exception(TODAY),)), ScanResult((finding(),))).action is Action.BLOCK


@given(stated, stated, st.one_of(st.none(), st.sampled_from(["", "  ", "reviewed by the lab"])))
def test_lowering_the_class_needs_a_reason(
    old: Classification | None, new: Classification | None, reason: str | None
) -> None:
    before, after = (Classification.INTERNAL if value is None else value for value in (old, new))
    verdict = decide_class_change(old, new, reason)
    assert verdict.lowered == (after < before)
    refused = after < before and not (reason and reason.strip())
    assert verdict.action is (Action.BLOCK if refused else Action.ALLOW)
