"""The gateway with names of the test's own: ``python -m tests.gateway.entry NAMES.json --control FD``.

The file gives each name its addresses, and is read at every look-up: a test changes it to make a name lead elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jupyter_qguard.gateway.__main__ import main


def lookup_in(path: Path):
    def lookup(name: str) -> list[str]:
        known = json.loads(path.read_text(encoding="utf-8"))
        if name not in known:
            raise OSError
        return known[name]

    return lookup


if __name__ == "__main__":
    os._exit(main(sys.argv[2:], lookup_in(Path(sys.argv[1]))))
