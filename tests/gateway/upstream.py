"""Stand-ins for vendors: real TLS servers on loopback, with certificates of a CA of the test's own."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        body = self.server.body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    address_family = socket.AF_INET

    def handle_error(self, *_):
        """A connection that broke off is what many a test is about."""


class Upstream:
    """An HTTP server, with TLS where there is a *certificate*."""

    def __init__(self, certificate=None, *, body=b"result", address="127.0.0.1"):
        kind = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in address else socket.AF_INET})
        self._server = kind((address, 0), _Handler)
        self._server.seen, self._server.body = [], body
        self.connections = 0
        self.names: list[str | None] = []
        accept = self._server.get_request
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)

        def get_request():
            client, peer = accept()
            self.connections += 1
            if context:
                client = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            return client, peer

        self._server.get_request = get_request
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def seen(self):
        """Paths and headers of the requests that arrived."""
        return self._server.seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.server_close()
        self._thread.join()
