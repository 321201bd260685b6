"""Stand-ins for vendors under their real names: a company's proxy on loopback, and TLS servers behind it.

They answer what a test scripts, and keep what reached them: what is not in there was not sent.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.certificate import make_certificate

if TYPE_CHECKING:
    from collections.abc import Callable


class Seen(NamedTuple):
    """A request that reached a vendor."""

    host: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Answer:
    """What a vendor says. *drop* breaks the connection off after the request instead.

    With *parts* the body is those, each a chunk and a packet of its own, with *trailers* behind them.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    drop: bool = False
    halfway: Callable[[], object] | None = None
    """Called when half of the body is out; ConnectionError breaks off there."""
    reason: str | None = None
    parts: tuple[bytes, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A connection that broke off is what many a test is about."""


class _Vendor(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()

    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self._chunked() if "chunked" in self.headers.get("Transfer-Encoding", "") else self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(headers["host"], self.command, self.path, headers, body)
        self.server.seen.append(seen)
        answer = self.server.answer(seen)
        if answer.drop:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.parts:
            self._in_chunks(answer)
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        half = len(answer.body) // 2
        self.wfile.write(answer.body[:half])
        if answer.halfway is not None:
            try:
                answer.halfway()
            except ConnectionError:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
        self.wfile.write(answer.body[half:])

    def _in_chunks(self, answer):
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in answer.parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        trailers = "".join(f"{name}: {value}\r\n" for name, value in answer.trailers)
        self.wfile.write(f"0\r\n{trailers}\r\n".encode())

    def _chunked(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass


for _method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"):
    setattr(_Vendor, f"do_{_method}", _Vendor._serve)


class _Proxy(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(1)
        host = head.split(b" ")[1].rpartition(b":")[0].decode()
        self.server.asked.append(host)
        if host not in self.server.hosts:
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with socket.create_connection(("127.0.0.1", self.server.target)) as vendor:
            vendor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pour, args=(vendor, self.request), daemon=True)
            back.start()
            _pour(self.request, vendor)
            back.join()


def _pour(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Vendors:
    """The network. ``script`` maps ``METHOD /path`` to an answer, or to a function of what was seen."""

    def __init__(self, folder, hosts):
        self.certificate, key = make_certificate(folder, *hosts)
        self.script = {}
        self._web = _Server(("127.0.0.1", 0), _Vendor)
        self._web.seen, self._web.answer = [], self._answer
        self._web.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._web.context.load_cert_chain(self.certificate, key)
        self._proxy = _Server(("127.0.0.1", 0), _Proxy)
        self._proxy.hosts, self._proxy.target, self._proxy.asked = set(hosts), self._web.server_address[1], []
        self._threads = [
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05})
            for each in (self._web, self._proxy)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def proxy(self):
        """Its URL, for the policy."""
        return f"http://127.0.0.1:{self._proxy.server_address[1]}"

    @property
    def seen(self) -> list[Seen]:
        return self._web.seen

    def _answer(self, seen):
        found = self.script.get(f"{seen.method} {seen.target.partition('?')[0]}", Answer(404))
        return found(seen) if callable(found) else found

    def close(self):
        for each in (self._proxy, self._web):
            each.shutdown()
            each.server_close()
        for thread in self._threads:
            thread.join()


def as_json(document, status=200, **more):
    return Answer(status, json.dumps(document).encode(), **more)
