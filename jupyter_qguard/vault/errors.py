"""What can go wrong between the guard and a vault, by what a person can do about it. No message holds a value."""

from __future__ import annotations

from jupyter_qguard.errors import OutsideError


class VaultError(OutsideError):
    """A secret could not be had, stored or removed."""

    code = "vault"


class SourceUnavailableError(VaultError):
    """The vault is not set up here, does not answer, is sealed or locked: the secret itself may be fine."""

    code = "vault_unavailable"


class SourceRefusedError(VaultError):
    """The vault answers, and does not let this machine sign in or do this."""

    code = "vault_refused"


class SecretMissingError(VaultError):
    """The vault has nothing at this place, or not that field."""

    code = "secret_missing"


class SecretUnusableError(VaultError):
    """What lies there is not what a secret looks like: the wrong shape, or unreadable."""

    code = "secret_unusable"


class GovernanceError(VaultError):
    """The secret lacks owner, purpose, environment or expiry, is past its day, or belongs to another environment."""

    code = "secret_governance"
