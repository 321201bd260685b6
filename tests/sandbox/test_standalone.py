"""What runs before and in a sandbox has the standard library alone, and the small modules of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jupyter_qguard.sandbox as package

FOLDER = Path(package.__file__).parent
ALLOWED = {
    "__future__",
    "_socket",
    "_thread",
    "array",
    "ctypes",
    "errno",
    "fcntl",
    "marshal",
    "os",
    "struct",
    "sys",
    "time",
}
PROGRAMS = {"stub.py": ("999", ""), "probe.py": ("999",), "bridge.py": ("/missing/k", "1:2")}
"""Each with arguments that lead nowhere."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_imports_the_standard_library_only(name):
    found = set()
    for node in ast.walk(ast.parse((FOLDER / name).read_text())):
        if isinstance(node, ast.Import):
            found.update(each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    assert found - {"typing", "collections"} <= ALLOWED  # those two for the type checker alone


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_runs_in_an_interpreter_without_site_packages(name):
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(FOLDER / name), *PROGRAMS[name], "--", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Error: [Errno" in done.stderr
