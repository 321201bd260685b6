"""The change log can be built from its fragments, and every fragment is of a known kind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_change_log_can_be_built():
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "99.1", "--date", "2099-01-31"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "## 99.1 (2099-01-31)" in done.stdout
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.suffix == ".md"]
    for path in fragments:
        assert re.fullmatch(r"(\d+|\+[\w-]+)\.(security|feature|change|fix)(\.\d+)?\.md", path.name)
        assert path.read_text().split()[0] in done.stdout
