"""Short-lived sessions for leases: fetched with the stored keys in the gateway, kept while they last, and renewed.

AWS cannot end a session sooner than it ends by itself, so they are as short as AWS makes them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_qguard.broker.refusal import Cause, RequestRefusedError
from jupyter_qguard.broker.session import role_of, session_policy
from jupyter_qguard.vault.errors import SourceUnavailableError, VaultError
from jupyter_qguard.vault.sts import SessionRequest, start_session

if TYPE_CHECKING:
    from jupyter_qguard.broker.lease import Lease
    from jupyter_qguard.policy.model import AccessEntry
    from jupyter_qguard.policy.vaults import AwsVault
    from jupyter_qguard.vault.sts import Session

_LEFT = 300.0
"""Seconds that a session which is handed out has left at least: AWS's clients want that for a request."""


@dataclass(frozen=True, slots=True)
class Started:
    """A session, and whether nobody had it before."""

    session: Session
    is_new: bool


class Sessions:
    """By lease. Not for two tasks at once."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Session]] = {}

    async def of(self, lease: Lease, entry: AccessEntry, person: str, vault: AwsVault, now: float) -> Started:
        """The session of *lease*: no wider than *entry*, as the policy has it now, in the name of *person*.

        Raises
        ------
        RequestRefusedError
            There is none.
        """
        policy = session_policy(entry, lease.vendor)
        policy_before, kept = self._kept.get(lease.id, ("", None))
        least = dt.datetime.fromtimestamp(now + _LEFT, dt.timezone.utc)
        if kept is not None and policy == policy_before and kept.expires > least:
            return Started(kept, is_new=False)
        request = SessionRequest(role=role_of(entry), person=person, name=lease.id, policy=policy)
        keys = {held.field: held.value for held in lease.handles.values()}
        place = vault if vault.region else replace(vault, region=entry.regions[0])
        try:
            session = await asyncio.to_thread(start_session, request, place, keys)
        except SourceUnavailableError as error:
            raise RequestRefusedError(Cause.NETWORK, f"`{entry.name}`: {error}", status=503) from None
        except VaultError as error:
            raise RequestRefusedError(Cause.CREDENTIAL, f"`{entry.name}`: {error}") from None
        self.forget(lease)
        self._kept[lease.id] = (policy, session)
        return Started(session, is_new=True)

    def forget(self, lease: Lease) -> None:
        """Overwrite what is kept of *lease*."""
        _, session = self._kept.pop(lease.id, ("", None))
        for value in session.fields.values() if session is not None else ():
            value.wipe()
