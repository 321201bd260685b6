"""The password of one kernel's proxy: who shows it is let in, and nobody else."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from jupyter_qguard.egress.credential import USER, digest_of, is_admitted, new_password, proxy_url

PASSWORD = new_password()
DIGEST = digest_of(PASSWORD)


def shown(text, scheme="Basic"):
    return f"{scheme} {base64.b64encode(text.encode()).decode()}".encode()


def test_what_a_client_makes_of_the_proxy_variable_is_admitted():
    url = urlsplit(proxy_url(3128, PASSWORD))
    assert (url.hostname, url.port) == ("127.0.0.1", 3128)
    for scheme in ("Basic", "basic", "BASIC"):
        assert is_admitted(DIGEST, shown(f"{url.username}:{url.password}", scheme))


def test_passwords_have_256_bits_and_none_is_like_another():
    made = {new_password() for _ in range(1000)}
    assert len(made) == 1000
    assert min(len(base64.urlsafe_b64decode(each + "=")) for each in made) == 32


def test_the_digest_does_not_tell_the_password():
    assert PASSWORD not in DIGEST
    assert not is_admitted(DIGEST, shown(f"{USER}:{DIGEST}"))


def test_others_are_not_admitted():
    right = shown(f"{USER}:{PASSWORD}")
    wrong = [
        b"",
        b"Basic",
        b"Basic ",
        right[:-4],
        right + b"AAAA",
        right.replace(b"Basic", b"Bearer"),
        right.removeprefix(b"Basic "),
        right + b", " + right,
        shown(PASSWORD),
        shown(f"{USER}:"),
        shown(f":{PASSWORD}"),
        shown(f"{USER}:{PASSWORD} "),
        shown(f"{USER}:{PASSWORD.swapcase()}"),
        shown(f"{USER}:{new_password()}"),
    ]
    assert [each for each in wrong if is_admitted(DIGEST, each)] == []


@given(st.binary(max_size=200))
def test_nothing_by_chance(value):
    assert not is_admitted(DIGEST, value)
    assert not is_admitted(DIGEST, b"Basic " + value)
