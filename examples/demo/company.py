"""A company network on this machine's loopback interface: its proxy, its certificate authority, and vendors behind it.

The vendors are stand-ins, and the only made-up part: they answer under the vendors' real names, with the company's
certificates. All else is as in an office without a direct way out: the policy names the proxy and the authority.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from examples.demo.certificates import make_certificates
from examples.demo.ibm import HOSTS, Ibm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BRAKET = "braket.us-east-1.amazonaws.com"
GOOGLE = "quantum.googleapis.com"
OTHER = "files.example.org"
"""A host of nobody's allowlist, behind the same proxy."""
PROCESSORS = "/google.cloud.quantum.v1alpha1.QuantumEngineService/ListQuantumProcessors"
_SIMULATOR = {
    "deviceArn": "arn:aws:braket:::device/quantum-simulator/amazon/sv1",
    "deviceName": "SV1",
    "deviceType": "SIMULATOR",
    "deviceStatus": "ONLINE",
    "providerName": "Amazon Braket",
}
_CONNECT = re.compile(rb"CONNECT ([a-z0-9.-]+):443 HTTP/1\.[01]\r\n")


@dataclass(slots=True)
class Company:
    """What is listening."""

    proxy: int
    """Port of the proxy."""
    authority: Path
    """The certificate that everybody in the company trusts (PEM)."""
    ibm: Ibm
    """IBM Quantum, with its one account."""
    asked: list[str] = field(default_factory=list)
    """Hosts that the proxy was asked for."""


@contextlib.contextmanager
def company(folder: Path, key: str) -> Iterator[Company]:
    """Open it; its certificates lie in *folder*, and *key* opens its account at IBM."""
    ibm = Ibm(key)
    authority, chain, private = make_certificates(folder, (*HOSTS, BRAKET, GOOGLE, OTHER))
    with contextlib.ExitStack() as stack:
        web = stack.enter_context(_web(chain, private, ibm))
        google = stack.enter_context(_google(chain, private))
        ports = {**dict.fromkeys((*HOSTS, BRAKET, OTHER), web), GOOGLE: google}
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        opened = Company(listener.getsockname()[1], authority, ibm)
        thread = threading.Thread(target=_serve_proxy, args=(listener, ports, opened.asked), daemon=True)
        thread.start()
        yield opened
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve_proxy(listener: socket.socket, ports: dict[str, int], asked: list[str]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_tunnel, args=(client, ports, asked), daemon=True).start()


def _tunnel(client: socket.socket, ports: dict[str, int], asked: list[str]) -> None:
    with client, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(4096)
            if not more:
                return
            head += more
        found = _CONNECT.match(head)
        host = found[1].decode() if found else ""
        asked.append(host)
        if host not in ports:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", ports[host])) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pour, args=(server, client), daemon=True)
            back.start()
            _pour(client, server)
            back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class _Vendors(http.server.BaseHTTPRequestHandler):
    """IBM Quantum, Amazon Braket, and a host that is nobody's."""

    protocol_version = "HTTP/1.1"
    ibm: Ibm

    def do_GET(self) -> None:
        """Answer as the host that was asked for."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host, path = self.headers["Host"].partition(":")[0], self.path.partition("?")[0]
        if host in HOSTS:
            self._answer(*self.ibm.answer(self.command, host, path, self.headers.get("Authorization") or "", body))
        else:
            self._answer(200, {"devices": [_SIMULATOR]} if host == BRAKET else {"hello": host})

    do_POST = do_GET  # noqa: N815 - http.server's name

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def _web(chain: Path, key: Path, ibm: Ibm) -> Iterator[int]:
    handler = type("Vendors", (_Vendors,), {"ibm": ibm})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _google(chain: Path, key: Path) -> Iterator[int]:
    """The engine's list of processors: an empty message, which is a valid answer."""
    answer: Callable[[bytes, Any], bytes] = lambda _request, _context: b""  # noqa: E731 - a handler in gRPC's sense
    handlers = {PROCESSORS.rpartition("/")[2]: grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(PROCESSORS.split("/")[1], handlers),))
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()
