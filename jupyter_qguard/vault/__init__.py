"""Where values come from: one file for each source behind one protocol. Used by the gateway and the command line alone."""

from __future__ import annotations

from jupyter_qguard.vault.errors import (
    GovernanceError,
    SecretMissingError,
    SecretUnusableError,
    SourceRefusedError,
    SourceUnavailableError,
    VaultError,
)
from jupyter_qguard.vault.governance import Governance, State
from jupyter_qguard.vault.source import SourceSettings, StoredSecret, VaultSource, WritableSource
from jupyter_qguard.vault.vaults import Part, Secret, Vaults

__all__ = [
    "Governance",
    "GovernanceError",
    "Part",
    "Secret",
    "SecretMissingError",
    "SecretUnusableError",
    "SourceRefusedError",
    "SourceSettings",
    "SourceUnavailableError",
    "State",
    "StoredSecret",
    "VaultError",
    "VaultSource",
    "Vaults",
    "WritableSource",
]
