"""A stand-in for the gateway process: speaks its messages, serves nothing, and writes down what it was told.

``python stand_in.py FILE --control FD``. For tests of the owner's side alone.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import msgspec

from jupyter_qguard.gateway.control import (
    CloseDoors,
    Done,
    Failed,
    Learned,
    OpenDoors,
    Ready,
    Recall,
    ToGateway,
    Welcome,
    receive_message,
    send_message,
)


def main() -> None:
    path, _, number = sys.argv[1:]
    end = socket.socket(fileno=int(number))
    decoder = msgspec.json.Decoder(ToGateway)
    with Path(path).open("ab", buffering=0) as file:
        while True:
            try:
                message, descriptors = receive_message(end, decoder)
            except EOFError:
                return
            file.write(msgspec.json.encode([message, len(descriptors)]) + b"\n")
            for each in descriptors:
                os.close(each)
            if isinstance(message, Welcome):
                send_message(end, Ready(pid=os.getpid()))
            elif isinstance(message, Recall):
                continue
            elif "refuse" in getattr(message, "kernel", ""):
                send_message(end, Failed(request=message.request, reason="told to refuse"))
            else:
                send_message(end, Done(request=message.request))
            if isinstance(message, OpenDoors) and message.notebook:
                send_message(end, Learned(kernel=message.kernel, name=message.notebook))
            if isinstance(message, CloseDoors) and message.kernel == "die":
                os._exit(3)


main()
