"""Whom the server acts for: fixed by what started it."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from jupyter_qguard.audit.person import server_user

if TYPE_CHECKING:
    import pytest


def test_the_hub_says_who_it_is() -> None:
    assert server_user({"JUPYTERHUB_USER": "ada", "USER": "someone", "LOGNAME": "someone"}) == "ada"


def test_else_the_operating_system_does_and_no_variable() -> None:
    own = pwd.getpwuid(os.getuid()).pw_name
    assert server_user({"JUPYTERHUB_USER": "", "USER": "someone", "LOGNAME": "someone"}) == own


def test_a_container_may_run_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_123)
    assert server_user({}) == "uid:2000000123"
