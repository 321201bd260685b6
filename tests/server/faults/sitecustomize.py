"""Plants faults in a real server and its workers. On ``PYTHONPATH`` of a server it is imported by each of its processes.

A file ``fault`` in the temporary folder says which part fails at its next use; the tests write and remove it. What is
raised quotes what the part was given, as errors of libraries do.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupyter_qguard.audit
import jupyter_qguard.policy
import jupyter_qguard.policy.decide
import jupyter_qguard.redact
import jupyter_qguard.scan.report

_FOLDER = Path(os.environ.get("TMPDIR", "/nowhere"))


def _wanted() -> str:
    try:
        return (_FOLDER / "fault").read_text()
    except OSError:
        return ""


def _hang() -> None:
    (_FOLDER / "hanging").touch()
    while _wanted() == "hang":
        time.sleep(0.02)


def _failing(part: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if _wanted() == part:
            raise RuntimeError(f"planted: {arguments} {named}")
        if part == "scanner" and _wanted() == "hang":
            _hang()
        return call(*arguments, **named)

    return wrapped


for _part, _owner, _name in (
    ("scanner", jupyter_qguard.scan.report.Reporter, "result"),
    ("redactor", jupyter_qguard.redact, "redact_notebook"),
    ("redactor", jupyter_qguard.redact, "redact_text"),
    ("policy", jupyter_qguard.policy.LivePolicy, "refresh"),
    ("decision", jupyter_qguard.policy, "decide_save"),
    ("decision", jupyter_qguard.policy.decide, "decide_save"),
    ("audit", jupyter_qguard.audit.AuditLog, "append"),
    ("audit", jupyter_qguard.audit.AuditLog, "note_refusal"),
):
    setattr(_owner, _name, _failing(_part, getattr(_owner, _name)))
