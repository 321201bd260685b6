"""TLS greetings, made by OpenSSL itself."""

from __future__ import annotations

import ssl


def greeting(name: str | None) -> bytes:
    """What a client of this Python sends first to *name*."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError


def fragmented(data: bytes, size: int) -> bytes:
    """The greeting *data*, in records of *size* bytes each."""
    body = data[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)
