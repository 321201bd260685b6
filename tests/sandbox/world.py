"""The world outside of pods, for :mod:`tests.sandbox.pod`: addresses that answer, and proxies of a platform.

``python world.py``: every address of :mod:`jupyter_qguard.sandbox.ways` is made local and answers, as does the host
``api.vendor.test`` on port 8080 by way of the proxies: port 3128 lets clients through to it alone, 3129 to anywhere.
``python world.py proxies``: only these are there.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from jupyter_qguard.sandbox.ways import METADATA, PUBLIC

ALLOWED = "api.vendor.test:8080"


class _Vendor(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from outside")

    def log_message(self, *_):
        """Not to the test's output."""


def serve(address, port, talk):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family)

    def forever():
        while True:
            end, _ = listener.accept()
            threading.Thread(target=talk, args=(end,), daemon=True).start()

    threading.Thread(target=forever, daemon=True).start()


def names(address):
    end = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    end.bind((address, 53))

    def forever():
        while True:
            question, client = end.recvfrom(512)
            answer = question[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + question[12:]
            end.sendto(answer + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x5d\xb8\xd7\x0e", client)

    threading.Thread(target=forever, daemon=True).start()


def proxy(*, strict):
    def talk(end):
        with end, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += end.recv(4096)
            target = head.split(b" ")[1].decode()
            if strict and target != ALLOWED:
                end.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            end.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with socket.create_connection(("127.0.0.1", 8080)) as other:
                back = threading.Thread(target=copy, args=(other, end), daemon=True)
                back.start()
                copy(end, other)
                back.join()

    return talk


def copy(source, to):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


def main():
    if "proxies" not in sys.argv:
        addresses()
    vendor = http.server.ThreadingHTTPServer(("127.0.0.1", 8080), _Vendor)
    threading.Thread(target=vendor.serve_forever, daemon=True).start()
    serve("0.0.0.0", 3128, proxy(strict=True))
    serve("0.0.0.0", 3129, proxy(strict=False))
    print("ready", flush=True)
    threading.Event().wait()


def addresses():
    for address in (*PUBLIC, *METADATA):
        bits = "128" if ":" in address else "32"
        subprocess.run(
            ["ip", "address", "add", f"{address}/{bits}", "dev", "lo", *(["nodad"] if bits == "128" else [])],
            check=True,
        )
    for address in PUBLIC:
        serve(address, 443, socket.socket.close)
        serve(address, 53, socket.socket.close)
        names(address)
    for address in METADATA:
        serve(address, 80, socket.socket.close)


main()
