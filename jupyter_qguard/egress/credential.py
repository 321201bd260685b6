"""Whose proxy it is, where no namespace says so: a user and password that one kernel has. Sans-io.

A listener inside a kernel's own network is reached by that kernel alone. A port of the machine's loopback is reached by
every process of every user, so there a client must show what only the kernel was given.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

USER = "qguard"
_BYTES = 32
"""256 bits: nobody guesses it, so wrong ones need not be counted."""
_SCHEME = b"basic "


def new_password() -> str:
    """A password for one kernel, of characters that need no escaping in a URL."""
    return secrets.token_urlsafe(_BYTES)


def proxy_url(port: int, password: str) -> str:
    """What the proxy variables of the kernel with *password* say."""
    return f"http://{USER}:{password}@127.0.0.1:{port}"


def authorization(password: str) -> bytes:
    """What a client with *password* says in ``Proxy-Authorization``."""
    return b"Basic " + base64.b64encode(f"{USER}:{password}".encode("ascii"))


def digest_of(password: str) -> str:
    """What the gateway keeps: enough to know the password by, and not the password."""
    return _digest(f"{USER}:{password}".encode("ascii"))


def is_admitted(digest: str, authorization: bytes) -> bool:
    """Whether *authorization*, the value of ``Proxy-Authorization``, shows the password of *digest*.

    Takes as long for a password that is nearly right as for any other.
    """
    scheme, token = authorization[: len(_SCHEME)].lower(), authorization[len(_SCHEME) :].strip()
    try:
        shown = base64.b64decode(token, validate=True) if scheme == _SCHEME else b""
    except binascii.Error:
        shown = b""
    return hmac.compare_digest(digest, _digest(shown))


def _digest(shown: bytes) -> str:
    return hashlib.sha256(b"qguard proxy 1\0" + shown).hexdigest()
