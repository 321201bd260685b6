"""A fresh proof of the person, for acts that widen what is allowed.

Script in an output of a notebook runs in the user's own browser session and can call every interface that the session
opens. So where an administrator set a floor policy, the session is not enough: the token or password must come again.
"""

from __future__ import annotations

import hmac
from typing import Any

from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.auth.security import passwd_check

from jupyter_qguard.errors import UsageError


class ProofError(UsageError):
    """The proof is missing or wrong, or this kind of sign-in has none."""

    code = "proof"


def check_proof(identity_provider: Any, proof: str | None) -> str:
    """Check *proof* against the server's token and password. Blocks for as long as a password hash takes.

    Returns
    -------
    str
        Which of the two it was, for the record.

    Raises
    ------
    ProofError
        It is not accepted; says what would be.
    """
    token = str(getattr(identity_provider, "token", "") or "")
    hashed = ""
    if isinstance(identity_provider, PasswordIdentityProvider):
        hashed = str(identity_provider.hashed_password or "")
    if not token and not hashed:
        message = "an override needs a proof of the person here, and this server's sign-in cannot give one"
        raise ProofError(message)
    if proof is None:
        message = "an override needs the server's token or password here"
        raise ProofError(message)
    if token and hmac.compare_digest(proof.encode("utf-8", "surrogatepass"), token.encode()):
        return "token"
    if hashed and passwd_check(hashed, proof):  # type: ignore[no-untyped-call]
        return "password"
    message = "this is neither the server's token nor its password"
    raise ProofError(message)
