"""What a short-lived session of AWS may do: the entry's operations in its regions, as a session policy. Pure.

A session may do what its role permits *and* this policy does: it narrows, and never widens.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.catalog.model import Custody

if TYPE_CHECKING:
    from jupyter_qguard.broker.lease import Lease
    from jupyter_qguard.catalog.model import Vendor
    from jupyter_qguard.policy.model import AccessEntry

_ROLE = re.compile(r"arn:(?P<partition>aws(?:-[a-z]+)*):iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9_+=,.@/-]{1,576}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_STORAGE = "s3:"
_ANY_BUCKET = "amazon-braket-*"
"""As the SDK calls those that it makes."""


def role_of(entry: AccessEntry) -> str:
    """ARN of the role that sessions of *entry* are of.

    Raises
    ------
    RequestRefusedError
        The entry names none.
    """
    role = entry.settings.get("role", "")
    if _ROLE.fullmatch(role) is None:
        text = f"`{entry.name}` needs the role that its sessions are of: `settings: {{role: arn:aws:iam::…:role/…}}`"
        raise RequestRefusedError(Cause.POLICY, text)
    return role


def session_policy(entry: AccessEntry, vendor: Vendor) -> str:
    """JSON of the session policy: actions by the entry's operations, requests in its regions, buckets of its account.

    Raises
    ------
    RequestRefusedError
        The entry does not say enough for a narrow one.
    """
    found = _ROLE.fullmatch(role_of(entry))
    assert found is not None  # noqa: S101 - role_of looked
    if not entry.regions:
        raise RequestRefusedError(Cause.POLICY, f"`{entry.name}` names no region: `regions: [us-east-1]`")
    if entry.quota:
        text = f"`{entry.name}` has a quota, and what is done with a session is not counted: take `quota` out"
        raise RequestRefusedError(Cause.POLICY, text)
    bucket = entry.settings.get("bucket", _ANY_BUCKET)
    if bucket != _ANY_BUCKET and _BUCKET.fullmatch(bucket) is None:
        raise RequestRefusedError(Cause.POLICY, f"`{entry.name}`: the setting `bucket` is no name of a bucket")
    named = {operation.value for operation in entry.operations}
    actions = {action for does, listed in vendor.brokering.actions.items() if does.value in named for action in listed}
    stored = sorted(action for action in actions if action.startswith(_STORAGE))
    at_regions = {"StringEquals": {"aws:RequestedRegion": sorted(entry.regions)}}
    statements: list[dict[str, Any]] = []
    if actions - set(stored):
        called = sorted(actions - set(stored))
        statements.append({"Effect": "Allow", "Action": called, "Resource": "*", "Condition": at_regions})
    if stored:
        # Of this account: whoever reads a bucket of his own there would get what the kernel puts in.
        own = {"StringEquals": {"aws:ResourceAccount": found["account"], **at_regions["StringEquals"]}}
        arn = f"arn:{found['partition']}:s3:::{bucket}"
        statements.append({"Effect": "Allow", "Action": stored, "Resource": [arn, f"{arn}/*"], "Condition": own})
    if not statements:
        raise RequestRefusedError(Cause.POLICY, f"`{entry.name}` permits no operation that a session could do")
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def session_variables(lease: Lease) -> dict[str, str]:
    """Variables of AWS's clients beside those that lead to the keys; none for another custody."""
    if lease.vendor.brokering.custody is not Custody.SHORT_LIVED:
        return {}
    region = lease.entry.regions[0]
    # Without keys a client would ask the instance's metadata service, and wait for it.
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true"}
