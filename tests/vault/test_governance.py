"""Owner, purpose, environment, expiry: without all four, in time, and for the right environment, nothing is handed out."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.policy.model import Environment
from jupyter_qguard.vault.errors import GovernanceError
from jupyter_qguard.vault.governance import LABELS, Governance, State

GOOD = {"owner": "lab", "purpose": "benchmarks", "environment": "prod", "expires": "2027-01-31"}
LAST = dt.date(2027, 1, 31)


def test_whole_labels_are_governance_and_back():
    found = Governance.from_labels({**GOOD, "team": "other labels are nobody's business"})
    assert found == Governance("lab", "benchmarks", Environment.PROD, LAST)
    assert found.labels() == GOOD


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("value", [None, "", "  ", "a\nb"])
def test_each_label_must_be_there_and_be_one_line(name, value):
    labels = {key: text for key, text in {**GOOD, name: value}.items() if text is not None}
    with pytest.raises(GovernanceError, match=f"`{name}`"):
        Governance.from_labels(labels)


def test_all_that_is_missing_is_said_at_once():
    with pytest.raises(GovernanceError) as caught:
        Governance.from_labels({"environment": "production", "expires": "soon"})
    assert all(f"`{name}`" in str(caught.value) for name in LABELS)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-01-31", LAST),
        ("2027-01-31T23:59:59Z", LAST),
        ("2027-01-31T23:59:59.123456+00:00", LAST),
        ("2027-01-31 23:59", LAST),
        ("2027-02-30", None),
        ("2027-1-31", None),
        ("31.01.2027", None),
        ("2027-01-31 or later", None),
    ],
)
def test_a_day_or_a_time_says_when_it_ends(text, day):
    try:
        assert Governance.from_labels({**GOOD, "expires": text}).expires == day
    except GovernanceError:
        assert day is None


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (LAST - dt.timedelta(31), State.OK),
        (LAST - dt.timedelta(30), State.OK),
        (LAST - dt.timedelta(29), State.EXPIRING),
        (LAST, State.EXPIRING),
        (LAST + dt.timedelta(1), State.OVERDUE),
    ],
)
def test_how_it_stands_on_a_day(today, state):
    assert Governance.from_labels(GOOD).state(today, dt.timedelta(30)) is state


@given(st.sampled_from(Environment), st.sampled_from(Environment), st.integers(min_value=-400, max_value=400))
def test_it_is_handed_out_only_in_time_and_for_its_own_environment(mine, asked, days):
    governance = Governance("lab", "benchmarks", mine, LAST)
    refuses = pytest.raises(GovernanceError, match="lab") if days > 0 or mine is not asked else nullcontext()
    with refuses:
        governance.check(LAST + dt.timedelta(days), asked)
