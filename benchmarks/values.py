"""Random values in the shapes of credentials: never constants, so that no scanner can know them."""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Callable
from random import Random

_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "digits": string.digits,
    "b32": "abcdefghijklmnopqrstuvwxyz234567",
    "B32": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "b64": string.ascii_letters + string.digits + "+/",
    "b64url": string.ascii_letters + string.digits + "-_",
    "tilde": string.ascii_letters + string.digits + "_~.-",
}
_FIELD = re.compile(r"\{(\w+)(?::(\d+)(?:-(\d+))?)?\}")
_OPAQUE = (
    "{alnum:40}",
    "{b64url:48}",
    "{hex:64}",
    "{uuid}",
    "{word}_{alnum:36}",
    "{alnum:32}",
    "{hex:40}",
    "{alnum:64}",
)
_WORDS = (
    "sunflower harbor copper maple thunder velvet orchid glacier pepper walnut rocket saffron canyon meadow falcon "
    "ginger lantern mustang pebble quartz"
).split()


def fill(template: str, rng: Random) -> str:
    """Fill every ``{kind:length}`` of *template*; ``{kind:low-high}`` draws the length."""
    if template == "opaque":
        template = rng.choice(_OPAQUE)
    return _FIELD.sub(lambda match: _draw(match, rng), template)


def _draw(match: re.Match[str], rng: Random) -> str:
    kind, low, high = match.groups()
    if kind in _ALPHABETS:
        length = rng.randint(int(low), int(high or low))
        return _run(_ALPHABETS[kind], length, rng)
    return _MAKERS[kind](rng)


def _run(alphabet: str, length: int, rng: Random) -> str:
    """Characters that start and end as a token does (no separator at the edge) and look drawn, not typed."""
    while True:
        made = "".join(rng.choices(alphabet, k=length))
        edges = made[0] + made[-1]
        if edges.isalnum() and (length < 16 or len(set(made)) >= min(8, len(alphabet) // 2)):
            return made


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(rng: Random) -> str:
    """A JSON web token with plausible header and claims and a random signature."""
    algorithm, size = rng.choice((("HS256", 32), ("RS256", 256), ("HS512", 64)))
    header = {"alg": algorithm, "typ": "JWT", "kid": rng.randbytes(12).hex()}
    claims = {
        "sub": str(_uuid(rng)),
        "iss": f"https://auth{rng.randrange(100)}.example.net/realms/quantum",
        "exp": 1_790_000_000 + rng.randrange(10**7),
        "scope": "openid offline_access",
    }
    head, body = (_b64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{head}.{body}.{_b64url(rng.randbytes(size))}"


def _ibm_jwt(rng: Random) -> str:
    header = _b64url(
        json.dumps({"kid": f"2026{rng.randrange(10**8):08}", "alg": "RS256"}, separators=(",", ":")).encode()
    )
    return f"{header}.{jwt(rng).split('.', 1)[1]}"


def _quandela_jwt(rng: Random) -> str:
    body = _b64url(json.dumps({"id": rng.randrange(10**5), "exp": 1_790_000_000 + rng.randrange(10**7)}).encode())
    return f"_T_eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.{body}.{_b64url(rng.randbytes(64))}"


def _backwards_jwt(rng: Random) -> str:
    header = _b64url(b'{"alg":"HS256","typ":"JWT"}')
    claims = _b64url(json.dumps({"id": rng.randrange(10**6), "exp": 1_790_000_000 + rng.randrange(10**7)}).encode())
    return f"{header}.{claims}.{_b64url(rng.randbytes(32))}"[::-1]


def _uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{rng.choice('89ab')}{digits[17:20]}-{digits[20:]}"


def _password(rng: Random) -> str:
    """What people choose and what password managers make, half and half."""
    if rng.random() < 0.5:
        return f"{rng.choice(_WORDS).capitalize()}{rng.choice('-_.!')}{rng.choice(_WORDS)}{rng.randrange(10, 10000)}"
    return _run(string.ascii_letters + string.digits + "!*-_+.?", rng.randint(14, 20), rng)


def _pem(rng: Random, label: str, size: int) -> str:
    body = base64.b64encode(b"\x30\x82" + rng.randbytes(size)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n<<{lines}>>\n-----END {label}-----"


def _word(rng: Random) -> str:
    return rng.choice(("pat", "key", "sk", "tok", "live"))


_MAKERS: dict[str, Callable[[Random], str]] = {
    "uuid": _uuid,
    "jwt": jwt,
    "ibm_jwt": _ibm_jwt,
    "quandela_jwt": _quandela_jwt,
    "backwards_jwt": _backwards_jwt,
    "password": _password,
    "word": _word,
    "rsa_key": lambda rng: _pem(rng, "RSA PRIVATE KEY", 1190),
    "private_key": lambda rng: _pem(rng, "PRIVATE KEY", 1216),
    "ec_key": lambda rng: _pem(rng, "EC PRIVATE KEY", 119),
    "openssh_key": lambda rng: _pem(rng, "OPENSSH PRIVATE KEY", 399),
}
