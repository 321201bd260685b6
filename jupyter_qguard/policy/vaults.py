"""How this machine reaches its vaults, as values: addresses, names and files that hold what signs in, never a secret."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SignIn(enum.Enum):
    """How to sign in at OpenBao or Vault."""

    TOKEN = "token"  # noqa: S105 - the method's name
    APPROLE = "approle"
    JWT = "jwt"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaoVault:
    """An OpenBao or HashiCorp Vault."""

    address: str = ""
    """URL; empty for that of ``BAO_ADDR`` or ``VAULT_ADDR``."""
    namespace: str = ""
    """Empty for that of ``BAO_NAMESPACE`` or ``VAULT_NAMESPACE``."""
    ca_bundle: str | None = None
    """Absolute path of a PEM file; None for that of ``BAO_CACERT`` or ``VAULT_CACERT``, else the system's."""
    method: SignIn = SignIn.TOKEN
    mount: str = ""
    """Where the sign-in method is mounted; empty for where it usually is."""
    role: str = ""
    """Name of the role; for AppRole its role id. It says who asks and opens nothing."""
    file: str | None = None
    """Absolute path of the file that holds the token, the secret id of an AppRole, or the JWT. It is read at each
    sign-in. None, with method token: ``BAO_TOKEN`` or ``VAULT_TOKEN``, else ``~/.vault-token``."""
    wrapped: bool = False
    """Whether the file holds a token that the secret id is wrapped in, good for one sign-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsVault:
    """AWS Secrets Manager and STS. Without a profile the usual chain of AWS: variables, files, the instance's role."""

    region: str = ""
    profile: str = ""
    """Of the files under ``~/.aws``."""
    endpoint: str = ""
    """URL of a private endpoint; empty for the region's."""


@dataclass(frozen=True, slots=True)
class VaultsPolicy:
    """The ``vaults`` section."""

    openbao: BaoVault = BaoVault()
    vault: BaoVault = BaoVault()
    aws: AwsVault = AwsVault()
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Source of a third party to its settings; those that end with ``_file`` are paths."""

    @property
    def files(self) -> tuple[str, ...]:
        """Absolute paths of the files that hold what signs in: no kernel may read them."""
        own = [vault.file for vault in (self.openbao, self.vault) if vault.file is not None]
        named = [text for settings in self.others.values() for key, text in settings.items() if key.endswith("_file")]
        return (*own, *named)
