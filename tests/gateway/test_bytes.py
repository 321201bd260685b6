"""What passes once a way is open: anything, both ways, each half closed by itself; also through another proxy."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.gateway.client import rest, tunnel
from tests.gateway.owner import PATIENCE, entry


@pytest.fixture
def counter():
    """A server that speaks first, reads to the end, and only then says how much it was."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.sendall(b"speak\n")
                    client.sendall(str(len(rest(client))).encode())

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


@pytest.fixture
def corporate():
    """A proxy that knows every name, as the machine's own would, and what it was asked for."""
    asked = []
    targets = {}
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pass_on(source, sink):
            try:
                while more := source.recv(65536):
                    sink.sendall(more)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                return

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(1)
                asked.append(head.split(b"\r\n")[0].decode())
                port = targets.get(asked[-1].split()[1])
                if port is None:
                    client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", port))
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                ways = [threading.Thread(target=pass_on, args=pair) for pair in ((client, server), (server, client))]
                for way in ways:
                    way.start()
                for way in ways:
                    way.join(PATIENCE)
                client.close()
                server.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked, targets
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def test_a_server_may_speak_first_and_a_client_may_be_done_first(start, place, counter):
    place.policy(entry("api.vendor.test", counter, plain=True))
    kernel = start()
    client, answer = tunnel(kernel, "api.vendor.test", counter, early=b"x" * 10)
    assert answer.startswith(b"HTTP/1.1 200")
    with client:
        assert client.recv(6) == b"speak\n"
        client.sendall(b"x" * 5_000_000)
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"5000010"


def test_the_proxy_of_the_machine_resolves_and_is_asked_only_for_what_is_allowed(start, place, counter, corporate):
    port, asked, targets = corporate
    name = "only.the.proxy.knows.vendor.test"
    targets[f"{name}:443"] = counter
    place.names({"proxy.corp.test": ["127.0.0.1"]})
    place.policy(
        {"host": name, "plain": True, "owner": "tests", "reason": "through the proxy"},
        {"host": "unknown.vendor.test", "plain": True, "owner": "tests", "reason": "the proxy refuses it"},
        upstream_proxy=f"http://proxy.corp.test:{port}",
    )
    kernel = start()
    client, answer = tunnel(kernel, "elsewhere.test", 443)
    client.close()
    assert answer.startswith(b"HTTP/1.1 403")
    assert asked == []
    client, answer = tunnel(kernel, "unknown.vendor.test", 443)
    client.close()
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway: qguard: `unknown.vendor.test` cannot be reached: the proxy of")
    client, answer = tunnel(kernel, name, 443)
    assert answer.startswith(b"HTTP/1.1 200")
    with client:
        assert client.recv(6) == b"speak\n"
        client.sendall(b"x" * 100_000)
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"100000"
    assert asked == ["CONNECT unknown.vendor.test:443 HTTP/1.1", f"CONNECT {name}:443 HTTP/1.1"]
