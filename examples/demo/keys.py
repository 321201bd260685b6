"""Keys that look like the vendors' and open nothing: made anew in each run, so that none stands in the repository."""

from __future__ import annotations

import secrets
import string

_WORD = string.ascii_letters + string.digits


def ibm_key() -> str:
    """Shaped as an IBM Cloud API key."""
    return _draw(_WORD + "_-", 42) + _draw(string.digits, 1) + _draw(string.ascii_letters, 1)


def dwave_token() -> str:
    """Shaped as a D-Wave Leap token."""
    return "DEV-" + secrets.token_hex(20)


def ionq_key() -> str:
    """Shaped as an IonQ API key."""
    return _draw(_WORD, 32)


def aws_pair() -> tuple[str, str]:
    """Shaped as an AWS access key: its id and its secret part."""
    return "AKIA" + _draw(string.ascii_uppercase + "234567", 16), _draw(_WORD, 38) + _draw(string.digits, 2)


def _draw(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
