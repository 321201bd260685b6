"""The fresh proof of the person: what is accepted, and what is not for want of it."""

from __future__ import annotations

import pytest
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from jupyter_server.auth.security import passwd

from jupyter_qguard.server.proof import ProofError, check_proof
from tests.server.planted import make_secret

TOKEN, PASSWORD = make_secret("token"), make_secret("password")


@pytest.fixture(scope="module")
def both() -> PasswordIdentityProvider:
    return PasswordIdentityProvider(token=TOKEN, hashed_password=passwd(PASSWORD))


def test_token_and_password_are_accepted_and_told_apart(both: PasswordIdentityProvider) -> None:
    assert check_proof(both, TOKEN) == "token"
    assert check_proof(both, PASSWORD) == "password"


@pytest.mark.parametrize("proof", [None, "", TOKEN[:-1], TOKEN + "a", PASSWORD.upper()])
def test_anything_else_is_not(both: PasswordIdentityProvider, proof: str | None) -> None:
    with pytest.raises(ProofError) as raised:
        check_proof(both, proof)
    assert not proof or proof not in str(raised.value)


@pytest.mark.parametrize("proof", [None, "", "None"])
def test_a_sign_in_without_token_and_password_has_no_proof(proof: str | None) -> None:
    for provider in (IdentityProvider(token=""), PasswordIdentityProvider(token="", hashed_password=""), object()):
        with pytest.raises(ProofError, match="cannot give one"):
            check_proof(provider, proof)
