"""How the secrets of a machine stand: of each that a source holds or the policy names, whether it is handed out, and why not.

Every vault that is named is asked, once each secret. Values are wiped at once; nothing here shows one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_qguard.secret import OWN_SOURCES, SecretRef
from jupyter_qguard.vault.errors import GovernanceError, SecretMissingError, SourceUnavailableError, VaultError
from jupyter_qguard.vault.governance import LABELS, Governance, State
from jupyter_qguard.vault.source import WritableSource
from jupyter_qguard.vault.vaults import choose_fields, wipe_all

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from jupyter_qguard.policy.model import AccessEntry
    from jupyter_qguard.vault.source import StoredSecret
    from jupyter_qguard.vault.vaults import Vaults

_HOW_TO_LABEL = "`qguard vault add` stores value and labels anew, or set them in the vault itself"


@dataclass(frozen=True, slots=True)
class Named:
    """A secret that there is, or should be."""

    reference: SecretRef
    """Without a field."""
    entries: tuple[AccessEntry, ...] = ()
    """Of the policy that name it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one secret stands."""

    named: Named
    state: State
    detail: str = ""
    """Why, and what to do; empty where all is well."""
    labels: Mapping[str, str] | None = None
    """The four that the vault has, unchecked; None where it did not say."""
    fields: tuple[str, ...] = ()
    version: str = ""


def named_secrets(vaults: Vaults, entries: Iterable[AccessEntry]) -> list[Named]:
    """What the guard's own places hold and what *entries* name, in the order of their references.

    Raises
    ------
    VaultError
        One of the guard's own places cannot be read.
    """
    found: dict[str, list[AccessEntry]] = {}
    for source in sorted(OWN_SOURCES):
        made = vaults.source(source)
        if isinstance(made, WritableSource):
            found.update({f"{source}://{path}": [] for path in made.paths()})
    for entry in entries:
        for place in {reference.place for reference in entry.secrets.values()}:
            found.setdefault(place, []).append(entry)
    return [Named(_whole(place), tuple(found[place])) for place in sorted(found)]


def standings(vaults: Vaults, secrets: Iterable[Named], today: dt.date, within: dt.timedelta) -> list[Standing]:
    """How each of *secrets* stands on *today*. A vault that is away is asked once, not once for each secret."""
    away: dict[str, str] = {}
    found = []
    for named in secrets:
        source = named.reference.source
        if source in away:
            found.append(Standing(named, State.UNREACHABLE, away[source]))
            continue
        try:
            stored = vaults.read(named.reference)
        except SecretMissingError as error:
            found.append(Standing(named, State.MISSING, str(error)))
        except VaultError as error:
            found.append(Standing(named, State.UNREACHABLE, str(error)))
            if isinstance(error, SourceUnavailableError):
                away[source] = str(error)
        else:
            found.append(_standing(named, stored, today, within))
            wipe_all([stored])
    return found


def _standing(named: Named, stored: StoredSecret, today: dt.date, within: dt.timedelta) -> Standing:
    labels = {name: stored.labels.get(name, "") for name in LABELS}
    fields = tuple(sorted(stored.fields))
    try:
        governance = Governance.from_labels(stored.labels)
    except GovernanceError as error:
        return Standing(named, State.MISSING, f"{error}; {_HOW_TO_LABEL}", labels, fields, stored.version)
    state, detail = governance.state(today, within), ""
    if state is State.OVERDUE:
        detail = f"ended on {governance.expires}: ask {governance.owner} for a new one"
    if state is State.EXPIRING:
        detail = f"ends in {(governance.expires - today).days} days: ask {governance.owner} for a new one"
    for entry in named.entries:
        state, detail = _for_entry(entry, named, governance, stored) or (state, detail)
    return Standing(named, state, detail, labels, fields, stored.version)


def _for_entry(
    entry: AccessEntry, named: Named, governance: Governance, stored: StoredSecret
) -> tuple[State, str] | None:
    """What keeps *entry* from this secret whatever the day; None if nothing does."""
    if entry.environment is not governance.environment:
        words = (
            f"it is for {governance.environment.value}, and access entry `{entry.name}` for {entry.environment.value}"
        )
        return State.MISMATCHED, words
    try:
        for name, reference in entry.secrets.items():
            if reference.place == named.reference.place:
                choose_fields(name, reference, stored.fields)
    except SecretMissingError as error:
        return State.MISSING, f"access entry `{entry.name}`: {error}"
    return None


def _whole(place: str) -> SecretRef:
    source, _, path = place.partition("://")
    return SecretRef(source, path)
