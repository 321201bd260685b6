"""Runs a command in a network of its own, as another user, where no namespaces can be made: ``python denied.py USER WORLD…``.

``python denied.py UID WORLD COMMAND…``, as root. ``WORLD`` is ``proxies``, for a network in which nothing but a platform's
proxy answers, or ``all`` (see :mod:`tests.sandbox.world`).
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NEW_NETWORK = 0x40000000


def main():
    user, world, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(NEW_NETWORK) == 0
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    outside = subprocess.Popen([sys.executable, str(HERE / "world.py"), world], stdout=subprocess.PIPE, text=True)
    try:
        assert outside.stdout.readline() == "ready\n"
        options = {"user": int(user), "group": int(user), "extra_groups": []} if user != "0" else {}
        sys.exit(subprocess.run(command, check=False, **options).returncode)
    finally:
        outside.kill()
        outside.wait()


main()
