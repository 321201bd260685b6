"""What a vault source is to the rest of the guard: one small protocol, and what it is told and gives back.

A source is made in the gateway or the command line, never in a kernel. It imports its client library when it is first
used, takes nothing from a kernel, and puts a value into nothing but a :class:`~jupyter_qguard.secret.SecretValue`.
Methods may be called from several threads and may block, each for no longer than :data:`PATIENCE` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from jupyter_qguard.policy.vaults import VaultsPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from jupyter_qguard.secret import SecretValue

PATIENCE = 10.0
"""Seconds that a source waits for a vault that does not answer."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What a source is made with."""

    name: str
    """Its name in references and entry points."""
    folder: Path
    """The guard's own folder for secrets, which kernels do not see. It need not be there yet."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables of the process that started the gateway, never those of a kernel. May hold tokens."""
    vaults: VaultsPolicy = field(default_factory=VaultsPolicy)
    """What the policy says about this machine's vaults."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """One secret as it lies in a vault."""

    fields: Mapping[str, SecretValue]
    """By name; a lone value without a name stands under the empty one."""
    labels: Mapping[str, str]
    """Owner, purpose, environment, expires: as many of them as the vault has, unchecked."""
    version: str = ""
    """Another one after each change of a field."""


class VaultSource(Protocol):
    """Reads secrets.

    Every method raises a :class:`~jupyter_qguard.vault.errors.VaultError` and nothing else; which one says whose move
    it is.
    """

    def viable(self) -> str:
        """Why this source cannot be used on this machine, and what to do; empty if it can. Asks no vault."""
        ...

    def read(self, path: str) -> StoredSecret:
        """The secret at *path*, with all of its fields, and its labels of the same moment."""
        ...

    def renew(self) -> float | None:
        """Renew what signing in brought; in how many seconds to do so again, None if there is nothing to renew."""
        ...

    def close(self) -> None:
        """Give up, and have the vault forget, what signing in brought. A second call does nothing."""
        ...


@runtime_checkable
class WritableSource(VaultSource, Protocol):
    """Stores secrets, too: what ``qguard vault add`` and ``remove`` need."""

    def write(self, path: str, field: str, value: SecretValue, labels: Mapping[str, str]) -> str:
        """Store *value* as *field* of the secret at *path*, with *labels* in place of those before; its new version.

        Other fields stay. All or nothing: one who reads at that moment gets the old or the new.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove the secret at *path* with all of its fields."""
        ...

    def paths(self) -> Iterable[str]:
        """What it holds, where it can say so without searching a whole company's vault; else nothing."""
        ...
