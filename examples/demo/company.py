"""A company network on this machine's loopback interface: its proxy, its certificate authority, and vendors behind it.

The vendors are stand-ins, and the only made-up part: they answer under the vendors' real names, with the company's
certificates. All else is as in an office without a direct way out: the policy names the proxy and the authority.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import re
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from examples.demo.certificates import make_certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IBM = (
    "iam.cloud.ibm.com",
    "quantum.cloud.ibm.com",
    "api.global-search-tagging.cloud.ibm.com",
    "globalcatalog.cloud.ibm.com",
)
BRAKET = "braket.us-east-1.amazonaws.com"
GOOGLE = "quantum.googleapis.com"
OTHER = "files.example.org"
"""A host of nobody's allowlist, behind the same proxy."""
PROCESSORS = "/google.cloud.quantum.v1alpha1.QuantumEngineService/ListQuantumProcessors"
_INSTANCE = "crn:v1:bluemix:public:quantum-computing:us-east:a/0:demo::"
_CONNECT = re.compile(rb"CONNECT ([a-z0-9.-]+):443 HTTP/1\.1\r\n")


@dataclass(slots=True)
class Company:
    """What is listening."""

    proxy: int
    """Port of the proxy."""
    authority: Path
    """The certificate that everybody in the company trusts (PEM)."""
    asked: list[str] = field(default_factory=list)
    """Hosts that the proxy was asked for."""


@contextlib.contextmanager
def company(folder: Path) -> Iterator[Company]:
    """Open it; its certificates lie in *folder*."""
    authority, chain, key = make_certificates(folder, (*IBM, BRAKET, GOOGLE, OTHER))
    with contextlib.ExitStack() as stack:
        web = stack.enter_context(_web(chain, key))
        google = stack.enter_context(_google(chain, key))
        ports = {**dict.fromkeys((*IBM, BRAKET, OTHER), web), GOOGLE: google}
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        opened = Company(listener.getsockname()[1], authority)
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

    def do_GET(self) -> None:
        """What the SDKs read."""
        path = self.path.partition("?")[0]
        if path.startswith("/api/v1/instances/usage"):
            self._answer({"usage_consumed_seconds": 17, "usage_limit_seconds": 600, "usage_limit_reached": False})
        elif self.headers["Host"].startswith("globalcatalog."):
            self._answer({"overview_ui": {"en": {"display_name": "Open"}}, "metadata": {"pricing": {"type": "free"}}})
        elif path.startswith("/api/v1/"):
            self._answer({"devices": [], "jobs": [], "count": 0})
        else:
            self._answer({"hello": self.headers["Host"]})

    def do_POST(self) -> None:
        """Signing in, and searches."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = self.headers["Host"]
        if host.startswith("iam."):
            until = int(time.time()) + 3600
            self._answer(
                {
                    "access_token": _token(until),
                    "refresh_token": "none",
                    "expires_in": 3600,
                    "expiration": until,
                    "token_type": "Bearer",
                }
            )
        elif host.startswith("api.global-search"):
            self._answer(
                {
                    "items": [
                        {
                            "crn": _INSTANCE,
                            "name": "demo",
                            "service_plan_unique_id": "plan",
                            "tags": [],
                            "doc": {"extensions": [{"name": "all"}]},
                        }
                    ]
                }
            )
        else:
            arn = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
            self._answer(
                {
                    "devices": [
                        {
                            "deviceArn": arn,
                            "deviceName": "SV1",
                            "deviceType": "SIMULATOR",
                            "deviceStatus": "ONLINE",
                            "providerName": "Amazon Braket",
                        }
                    ]
                }
            )

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def _web(chain: Path, key: Path) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Vendors)
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


def _token(until: int) -> str:
    """Shaped as IAM's answer; it opens nothing."""
    parts = [{"alg": "none"}, {"iat": until - 3600, "exp": until, "iam_id": "IBMid-demo"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])
