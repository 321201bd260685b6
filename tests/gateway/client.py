"""What a client in a kernel says."""

from __future__ import annotations

import socket
import ssl

from tests.gateway.owner import PATIENCE


def tunnel(kernel, host, port, *, early=b""):
    """The connection after CONNECT, and the answer's head."""
    client = kernel.connect()
    client.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode() + early)
    return client, head(client)


def head(client):
    """An answer up to its empty line, or all there is."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = client.recv(1)
        if not more:
            break
        received += more
    return received


def rest(client):
    """Everything until the other side is done."""
    received = b""
    while True:
        try:
            more = client.recv(65536)
        except ConnectionResetError:
            return received
        if not more:
            return received
        received += more


def get(client, host, path="/", *, keep=False):
    """The status and body of a request over a connection that is open."""
    closing = "" if keep else "Connection: close\r\n"
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{closing}\r\n".encode())
    answer = head(client)
    length = next(
        int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    body = b""
    while len(body) < length:
        more = client.recv(length - len(body))
        if not more:
            break
        body += more
    return int(answer.split(b" ")[1]), body


def question(name, kind=1, number=7):
    """A question for *name*, as a stub resolver asks it."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    counts = b"".join(each.to_bytes(2, "big") for each in (number, 0x0100, 1, 0, 0, 0))
    return counts + labels + b"\0" + kind.to_bytes(2, "big") + (1).to_bytes(2, "big")


def ask(kernel, name, kind=1):
    """The code of the answer over UDP, and the address in it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.settimeout(PATIENCE)
        resolver.connect(kernel.names.getsockname())
        resolver.send(question(name, kind))
        return read_answer(resolver.recv(512))


def read_answer(message):
    found = int.from_bytes(message[6:8], "big")
    return message[3] & 15, socket.inet_ntoa(message[-4:]) if found else ""


def secure(client, trust: ssl.SSLContext, name):
    return trust.wrap_socket(client, server_hostname=name)
