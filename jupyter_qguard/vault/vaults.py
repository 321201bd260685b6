"""All vaults of one machine: fetches the secrets that access entries name, and hands out none without governance."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_qguard.vault.discovery import find_sources, make_source
from jupyter_qguard.vault.errors import GovernanceError, SecretMissingError, SourceUnavailableError, VaultError
from jupyter_qguard.vault.folder import guard_folder
from jupyter_qguard.vault.governance import Governance
from jupyter_qguard.vault.source import SourceSettings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from jupyter_qguard.policy.model import Environment
    from jupyter_qguard.policy.vaults import VaultsPolicy
    from jupyter_qguard.secret import SecretRef, SecretValue
    from jupyter_qguard.vault.source import StoredSecret, VaultSource


@dataclass(frozen=True, slots=True)
class Part:
    """One secret that a fetched one was put together from."""

    reference: str
    """Where it lies, without a field."""
    governance: Governance
    version: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that may be used: every part of it has its governance and is within its time."""

    fields: Mapping[str, SecretValue]
    """By the names of the access entry's ``secrets``; for a lone ``secret`` by those that the source has, or under the
    empty name if it is one value."""
    parts: tuple[Part, ...]

    @property
    def expires(self) -> dt.date:
        """The last day on which all parts hold."""
        return min(part.governance.expires for part in self.parts)

    def wipe(self) -> None:
        """Overwrite the values that are held here."""
        for value in self.fields.values():
            value.wipe()


class Vaults:
    """The sources of one process. Safe for several threads; each call may block while a vault is slow."""

    def __init__(self, vaults: VaultsPolicy, environ: Mapping[str, str], home: Path) -> None:
        """No source is imported, and no vault asked, before one is needed."""
        self._vaults, self._environ = vaults, dict(environ)
        self._folder = guard_folder(environ, home)
        self._made: dict[str, VaultSource] = {}
        self._gate = threading.Lock()

    def source(self, name: str) -> VaultSource:
        """The source called *name*, made at the first call; as :func:`make_source`."""
        with self._gate:
            if name not in self._made:
                settings = SourceSettings(name, self._folder, self._environ, self._vaults)
                self._made[name] = make_source(settings, find_sources())
            return self._made[name]

    def usable(self, name: str) -> VaultSource:
        """The source called *name*.

        Raises
        ------
        SourceUnavailableError
            It cannot be used on this machine, and what to do.
        """
        source = self.source(name)
        if why_not := source.viable():
            raise SourceUnavailableError(f"{name}: {why_not}")
        return source

    def read(self, reference: SecretRef) -> StoredSecret:
        """What lies at *reference*, whatever its governance: to show how it stands, not to use it.

        Raises
        ------
        VaultError
            It cannot be had.
        """
        return self.usable(reference.source).read(reference.path)

    def fetch(self, secrets: Mapping[str, SecretRef], environment: Environment, today: dt.date) -> Secret:
        """The secret that an access entry for *environment* names, to be used on *today*.

        Each place is read once, so that the fields of one secret are of one version.

        Raises
        ------
        VaultError
            It cannot be had, or may not be handed out (:class:`~jupyter_qguard.vault.errors.GovernanceError`). The
            message names the reference.
        """
        read: dict[str, StoredSecret] = {}
        parts: dict[str, Part] = {}
        fields: dict[str, SecretValue] = {}
        try:
            for name, reference in secrets.items():
                place = reference.place
                if place not in read:
                    read[place] = self.read(reference)
                    parts[place] = _part(reference, read[place], environment, today)
                fields.update(choose_fields(name, reference, read[place].fields))
        except BaseException:
            wipe_all(read.values())
            raise
        wipe_all(read.values(), but=fields.values())
        return Secret(fields, tuple(parts.values()))

    def renew(self) -> float | None:
        """Renew what signing in brought, everywhere; in how many seconds to do so again, None if never.

        Raises
        ------
        VaultError
            A vault did not renew it. The others did.
        """
        waits: list[float] = []
        failed: VaultError | None = None
        for source in self._sources():
            try:
                wait = source.renew()
            except VaultError as error:
                failed = error
                continue
            waits += [] if wait is None else [wait]
        if failed:
            raise failed
        return min(waits, default=None)

    def close(self) -> None:
        """Have every vault forget what signing in brought. What a vault that is away keeps ends by itself in time."""
        for source in self._sources():
            try:
                source.close()
            except VaultError:
                continue

    def _sources(self) -> list[VaultSource]:
        with self._gate:
            return list(self._made.values())


def _part(reference: SecretRef, stored: StoredSecret, environment: Environment, today: dt.date) -> Part:
    try:
        governance = Governance.from_labels(stored.labels)
        governance.check(today, environment)
    except GovernanceError as error:
        raise GovernanceError(f"{reference.place} is not handed out: {error}") from None
    return Part(reference.place, governance, stored.version)


def choose_fields(name: str, reference: SecretRef, held: Mapping[str, SecretValue]) -> dict[str, SecretValue]:
    """Of the fields *held* those that *reference* means, under *name*, which an access entry has for them.

    Raises
    ------
    SecretMissingError
        There is no such field.
    """
    if not held:
        raise SecretMissingError(f"{reference} holds no value")
    if reference.field:
        if reference.field not in held:
            raise SecretMissingError(f"{reference}: the secret is there, and has no field of that name")
        return {name: held[reference.field]}
    if "" in held:
        return {name: held[""]}
    if not name:
        return dict(held)
    if name in held:
        return {name: held[name]}
    raise SecretMissingError(f"{reference} has no field `{name}`: it has {', '.join(sorted(held))}")


def wipe_all(read: Iterable[StoredSecret], but: Iterable[SecretValue] = ()) -> None:
    """Overwrite the values of all that was *read*, *but* those."""
    kept = {id(value) for value in but}
    for stored in read:
        for value in stored.fields.values():
            if id(value) not in kept:
                value.wipe()
