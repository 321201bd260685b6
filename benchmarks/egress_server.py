"""The server at the other end of :mod:`benchmarks.egress`: sends as many bytes as it is asked for, with or without TLS."""

from __future__ import annotations

import socket
import ssl
import sys
import threading

PIECE = 1 << 16


def serve(client: socket.socket, context: ssl.SSLContext | None) -> None:
    """Answer every four bytes, a number, with so many bytes."""
    piece = memoryview(bytes(PIECE))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with context.wrap_socket(client, server_side=True) if context else client as secured:
            while request := secured.recv(4):
                left = int.from_bytes(request, "big")
                while left:
                    part = piece[: min(left, PIECE)]
                    secured.sendall(part)
                    left -= len(part)
    except OSError:
        return


def main() -> None:
    """Serve on ports of its own, which are printed: with TLS (certificate and key are arguments), and without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    listeners = [(socket.create_server(("127.0.0.1", 0), backlog=512), each) for each in (context, None)]
    print(*(listener.getsockname()[1] for listener, _ in listeners), flush=True)

    def accept(listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, context), daemon=True).start()

    for listener, each in listeners:
        threading.Thread(target=accept, args=(listener, each), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
