"""Short-lived keys of AWS: a session of minutes, no wider than its session policy, with the person's name in CloudTrail."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.amazon import make_client, translated
from jupyter_qguard.vault.errors import SecretUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_qguard.policy.vaults import AwsVault

SHORTEST = 900
"""Seconds: no role gives a shorter session."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9+=,.@_-]")
_LONGEST_NAME, _SHORTEST_NAME = 64, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """What a session may do, and for whom it is."""

    role: str
    """ARN of the role."""
    person: str
    """Who asks: it becomes the source identity, which stays with every later session and stands in CloudTrail."""
    name: str
    """Of the session, as the lease's id."""
    policy: str
    """JSON of the session policy: of what the role permits, only what this permits, too."""
    seconds: int = SHORTEST


@dataclass(frozen=True, slots=True)
class Session:
    """Keys that end by themselves; AWS has no way to end them sooner."""

    fields: Mapping[str, SecretValue]
    """``access_key_id``, ``secret_access_key``, ``session_token``."""
    expires: dt.datetime


class _Credentials(msgspec.Struct):
    access_key_id: str = msgspec.field(name="AccessKeyId")
    secret_access_key: str = msgspec.field(name="SecretAccessKey")
    session_token: str = msgspec.field(name="SessionToken")
    expires: dt.datetime = msgspec.field(name="Expiration")


class _Answer(msgspec.Struct):
    credentials: _Credentials = msgspec.field(name="Credentials")


def start_session(request: SessionRequest, vault: AwsVault, keys: Mapping[str, SecretValue] | None = None) -> Session:
    """A session of *request*'s role, asked for with *keys* (names as in :class:`Session`) or as this machine.

    Raises
    ------
    VaultError
        AWS is away, does not let this machine in, or refuses the role.
    """
    client = make_client("sts", vault, keys)
    with translated(f"a session of {request.role}"):
        given: Any = client.assume_role(
            RoleArn=request.role,
            RoleSessionName=aws_name(request.name),
            SourceIdentity=aws_name(request.person),
            Policy=request.policy,
            DurationSeconds=request.seconds,
        )
    client.close()
    try:
        found = msgspec.convert(given, _Answer).credentials
    except msgspec.ValidationError:
        found = None
    given = None
    if found is None:
        raise SecretUnusableError("AWS answered a request for a session with something else")
    names = ("access_key_id", "secret_access_key", "session_token")
    return Session({name: SecretValue(getattr(found, name)) for name in names}, found.expires)


def aws_name(text: str) -> str:
    """*text* as AWS takes names of sessions and people: 2 to 64 of certain characters, ``-`` for all others."""
    return _NOT_IN_NAMES.sub("-", text)[:_LONGEST_NAME].ljust(_SHORTEST_NAME, "-")
