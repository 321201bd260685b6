"""First module of a run's process: namespaces, before anything starts a thread."""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback

from tests.attack import network


def main(tier: str, only: str) -> None:
    """Run in *tier* (`none`: without a guard) the attacks whose names hold *only*."""
    network.enter()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the judge must not be the first to give in
    try:
        from tests.attack.run import Run

        print("result:" + json.dumps(Run(tier, only).results()), flush=True)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(0)  # threads that serve do not end


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
