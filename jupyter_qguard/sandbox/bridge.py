"""Brings clients to a kernel that listens on TCP ports: ``python -I -S bridge.py STEM NUMBER:PORT…``.

Many kernels know no sockets with a path. Such a kernel listens on TCP ports of its own network. This program, which the
stub starts in that network but outside of the kernel's processes and files, listens at ``STEM-NUMBER`` for clients and
carries their bytes to ``PORT`` and back. It looks at nothing, and ends with bubblewrap.

Standard library only, and of that the small modules (see ``stub.py``).
"""

from __future__ import annotations

import _socket
import _thread
import ctypes
import os
import struct
import sys
import time

PR_SET_DUMPABLE = 4
CAPABILITY_VERSION = 0x20080522
CHUNK = 65536
BACKLOG = 64


def main() -> None:
    """Do all of it; never returns."""
    stem, *pairs = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    # Whoever makes a user namespace has every capability in it.
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) or libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)):
        raise SystemExit(71)
    for pair in pairs:
        number, _, port = pair.partition(":")
        _thread.start_new_thread(serve, (listen(f"{stem}-{number}"), int(port)))
    while True:
        time.sleep(86400)


def listen(path: str) -> _socket.socket:
    """A socket at *path*, in the place of what the kernel before has left there."""
    if os.path.lexists(path):
        os.unlink(path)
    made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    made.bind(path)
    made.listen(BACKLOG)
    return made


def serve(listener: _socket.socket, port: int) -> None:
    """Take clients for ever."""
    while True:
        try:
            join(_socket.socket(fileno=listener._accept()[0]), port)  # type: ignore[attr-defined]  # noqa: SLF001
        except (OSError, RuntimeError):  # too many descriptors, or too many threads
            time.sleep(0.01)


def join(client: _socket.socket, port: int) -> None:
    """Have *client* carried to the kernel. Where that does not listen yet it is turned away, and comes again."""
    kernel = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    kernel.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
    try:
        kernel.connect(("127.0.0.1", port))
    except OSError:
        client.close()
        return
    _thread.start_new_thread(carry, (client, kernel))
    _thread.start_new_thread(carry, (kernel, client))


def carry(source: _socket.socket, target: _socket.socket) -> None:
    """Send on what *source* says until either end closes, and close both."""
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(_socket.SHUT_RDWR)
        except OSError:
            continue


if __name__ == "__main__":
    main()
