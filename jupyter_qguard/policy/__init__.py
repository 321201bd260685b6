"""The policy as code: text in, values and decisions out. Only :mod:`jupyter_qguard.policy.lookup` touches files.

What is asked for is imported when it is: most commands and processes need little of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_HOMES = {
    "decide": ("ClassChangeVerdict", "SaveVerdict", "decide_class_change", "decide_save"),
    "document": ("InvalidPolicyError",),
    "host": ("Host", "HostError", "HostPattern", "normalise_host"),
    "loaded": ("LoadedPolicy", "PolicySource"),
    "lookup": ("load_policy", "load_policy_or_strictest"),
    "model": ("STARTER", "STRICTEST", "Action", "EgressPolicy", "Mode", "Policy", "ScanPolicy"),
    "parse": ("parse_policy",),
    "reload": ("LivePolicy",),
}
"""Which module each name is in."""


def __getattr__(name: str) -> object:
    """A name of ``__all__``."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
