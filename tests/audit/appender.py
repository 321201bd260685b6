"""A process that appends until it is ended, and says what was acknowledged: ``python -m tests.audit.appender FOLDER``.

Prints the sequence number of each acknowledged record, one a line, by one write each, so that a kill tears none.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from tests.audit.trails import event, open_log


def main(folder: Path, threads: int, count: int) -> None:
    log = open_log(folder)

    def append() -> None:
        for number in range(count):
            record = log.append(event(number))
            os.write(1, f"{record.sequence} {record.id}\n".encode())

    workers = [threading.Thread(target=append) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
