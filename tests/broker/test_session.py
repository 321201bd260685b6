"""A session's policy permits an entry's operations in its regions and its account's buckets, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.broker.refusal import RequestRefusedError
from jupyter_qguard.broker.session import session_policy, session_variables
from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.policy.model import Operation, Quota, QuotaPeriod
from tests.broker.lent import Lent, entry

VENDOR = load_catalog().vendors["amazon_braket"]
ROLE = "arn:aws:iam::123456789012:role/quantum/braket"


def braket(*operations, regions=("us-east-1",), **settings):
    return entry("braket/dev", "amazon_braket", operations, regions=regions, settings={"role": ROLE, **settings})


def statements(access):
    return json.loads(session_policy(access, VENDOR))["Statement"]


def test_reading_devices_is_no_submitting_and_touches_no_storage():
    (only,) = statements(braket(Operation.INSPECT, regions=("us-west-1", "us-east-1")))
    assert "braket:SearchDevices" in only["Action"]
    assert "braket:CreateQuantumTask" not in only["Action"]
    assert only["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-1"]}}


def test_storage_is_the_entrys_bucket_in_the_roles_account():
    calls, stored = statements(braket(Operation.SUBMIT, Operation.READ_RESULTS, bucket="amazon-braket-lab"))
    assert calls["Action"] == ["braket:CreateQuantumTask"]
    assert stored["Action"] == ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]
    assert stored["Resource"] == ["arn:aws:s3:::amazon-braket-lab", "arn:aws:s3:::amazon-braket-lab/*"]
    assert stored["Condition"]["StringEquals"]["aws:ResourceAccount"] == "123456789012"


@given(st.sets(st.sampled_from(Operation)), st.sets(st.sampled_from(Operation)))
def test_fewer_operations_never_permit_more_and_nothing_mints(some, more):
    def actions(operations):
        if not operations:
            return set()
        return {action for each in statements(braket(*operations)) for action in each["Action"]}

    assert actions(some) <= actions(some | more)
    assert not [action for action in actions(some) if action.startswith(("iam:", "sts:")) or "*" in action]
    assert not some or len(session_policy(braket(*some), VENDOR)) <= 2048, "AWS takes no longer one"


@pytest.mark.parametrize(
    ("access", "problem"),
    [
        (entry("braket/dev", "amazon_braket", regions=("us-east-1",)), "needs the role"),
        (braket(Operation.INSPECT, role="arn:aws:iam::1:role/x"), "needs the role"),
        (braket(Operation.INSPECT, role=ROLE + '"'), "needs the role"),
        (braket(Operation.INSPECT, regions=()), "names no region"),
        (braket(Operation.SUBMIT, bucket="*"), "no name of a bucket"),
        (braket(Operation.SUBMIT, bucket="a/../*"), "no name of a bucket"),
        (braket(), "no operation"),
        (replace(braket(Operation.SUBMIT), quota={Operation.SUBMIT: Quota(5, QuotaPeriod.DAY)}), "has a quota"),
    ],
)
def test_what_is_not_narrow_is_refused(access, problem):
    with pytest.raises(RequestRefusedError, match=problem):
        session_policy(access, VENDOR)


def test_only_such_leases_set_the_variables_of_aws():
    assert session_variables(Lent().lease) == {}
