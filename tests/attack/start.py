"""Starts a run in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_MARK = "result:"


def attack(tier: str, *, only: str = "", user: int = 0) -> dict[str, Any]:
    """The outcomes of a run in *tier*, `none` for a kernel without a guard.

    Raises
    ------
    RuntimeError
        It did not come to an end.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    token = f"arena-{secrets.token_hex(12)}"
    environment = kept | {
        "HOME": "/srv/qg",
        "JPY_SERVER_SECRET": f"arena-{secrets.token_hex(12)}",
        "JUPYTERHUB_API_TOKEN": token,
        "VAULT_TOKEN": token,
        "AWS_SECRET_ACCESS_KEY": token,
        "QISKIT_IBM_TOKEN": token,
        "JUPYTER_PLATFORM_DIRS": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    if tier not in {"none", "netns"}:
        environment["QGUARD_TIER"] = tier
    python, options = sys.executable, {}
    if user and os.getuid() == 0:
        options = {"user": user, "group": user, "extra_groups": []}
        if os.path.realpath(python).startswith("/root/"):
            # An ordinary user cannot go there; the system's of the same version can run the same packages.
            python = f"/usr/bin/python{sysconfig.get_python_version()}"
            environment["PYTHONPATH"] = f"{ROOT}:{sysconfig.get_path('purelib')}"
    command = [python, "-m", "tests.attack.enter", tier, only]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, **options)
    found = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if not found:
        text = f"the run ended without a result ({done.returncode}): {done.stdout[-1000:]}{done.stderr[-3000:]}"
        raise RuntimeError(text)
    result: dict[str, Any] = json.loads(found[-1].removeprefix(_MARK))
    return result
