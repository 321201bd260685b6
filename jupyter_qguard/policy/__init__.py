"""The policy as code: text in, values and decisions out. Only :mod:`jupyter_qguard.policy.lookup` touches files."""

from __future__ import annotations

from jupyter_qguard.policy.decide import ClassChangeVerdict, SaveVerdict, decide_class_change, decide_save
from jupyter_qguard.policy.document import InvalidPolicyError
from jupyter_qguard.policy.host import Host, HostError, HostPattern, normalise_host
from jupyter_qguard.policy.loaded import LoadedPolicy, PolicySource
from jupyter_qguard.policy.lookup import load_policy, load_policy_or_strictest
from jupyter_qguard.policy.model import STARTER, STRICTEST, Action, EgressPolicy, Mode, Policy, ScanPolicy
from jupyter_qguard.policy.parse import parse_policy
from jupyter_qguard.policy.reload import LivePolicy

__all__ = [
    "STARTER",
    "STRICTEST",
    "Action",
    "ClassChangeVerdict",
    "EgressPolicy",
    "Host",
    "HostError",
    "HostPattern",
    "InvalidPolicyError",
    "LivePolicy",
    "LoadedPolicy",
    "Mode",
    "Policy",
    "PolicySource",
    "SaveVerdict",
    "ScanPolicy",
    "decide_class_change",
    "decide_save",
    "load_policy",
    "load_policy_or_strictest",
    "normalise_host",
    "parse_policy",
]
