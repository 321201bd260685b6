"""``openbao://MOUNT/PATH#FIELD`` and ``vault://…``: version 2 of the key-value engine of OpenBao or HashiCorp Vault.

Governance is the secret's custom metadata, which a read brings along. The first part of the path is the mount.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.bao import BaoConnection
from jupyter_qguard.vault.errors import SecretUnusableError
from jupyter_qguard.vault.source import SourceSettings, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    import hvac

_ATTEMPTS = 5
"""At a write where others write, too."""


class _VersionMetadata(msgspec.Struct):
    version: int
    custom_metadata: dict[str, str] | None = None


class _Version(msgspec.Struct):
    data: dict[str, Any]
    metadata: _VersionMetadata


class _Read(msgspec.Struct):
    data: _Version


class _Metadata(msgspec.Struct):
    current_version: int
    custom_metadata: dict[str, str] | None = None


class _MetadataRead(msgspec.Struct):
    data: _Metadata


class _Written(msgspec.Struct):
    version: int


class _Write(msgspec.Struct):
    data: _Written


class BaoSource:
    """One OpenBao or Vault, as this machine reaches it."""

    def __init__(self, settings: SourceSettings) -> None:
        vault = settings.vaults.openbao if settings.name == "openbao" else settings.vaults.vault
        self._name = settings.name
        self._bao = BaoConnection(settings.name, vault, settings.environ)

    def viable(self) -> str:
        """Why there is nothing to connect to."""
        return self._bao.problem()

    def read(self, path: str) -> StoredSecret:
        """The newest version at *path*. Values that are no text, and empty ones, are nobody's secret and left out."""
        mount, _, place = path.partition("/")
        given = self._bao.call(f"{self._name}://{path}", lambda client: _read(client, mount, place))
        version = self._bao.answer(given, _Read).data
        fields = {name: SecretValue(value) for name, value in version.data.items() if value and isinstance(value, str)}
        return StoredSecret(fields, version.metadata.custom_metadata or {}, str(version.metadata.version))

    def renew(self) -> float | None:
        """Renew the token."""
        return self._bao.renew()

    def close(self) -> None:
        """Revoke the token if signing in brought it."""
        self._bao.close()

    def write(self, path: str, field: str, value: SecretValue, labels: Mapping[str, str]) -> str:
        """Store one field. First the value, then the labels: in between a new secret has none, and is not handed out."""
        if not field:
            raise SecretUnusableError(f"{self._name}://{path}: a value here stands under the name of a field")
        for _ in range(_ATTEMPTS):
            version = self._bao.call(f"{self._name}://{path}", lambda client: self._write(client, path, field, value))
            if version is not None:
                self._bao.call(f"{self._name}://{path}", lambda client: self._label(client, path, labels))
                return str(version)
        raise SecretUnusableError(f"{self._name}://{path} is being written by somebody else: try again")

    def remove(self, path: str) -> None:
        """Delete the newest version; until it is destroyed, whoever may can bring it back."""
        mount, _, place = path.partition("/")
        self.read(path)
        self._bao.call(
            f"{self._name}://{path}",
            lambda client: client.secrets.kv.v2.delete_latest_version_of_secret(place, mount_point=mount),
        )

    def paths(self) -> tuple[str, ...]:
        """Nothing: a company's vault is not searched."""
        return ()

    def _write(self, client: hvac.Client, path: str, field: str, value: SecretValue) -> int | None:
        """The new version; None where another writer was faster."""
        from hvac.exceptions import InvalidPath, InvalidRequest  # noqa: PLC0415 - only where a vault is used

        mount, _, place = path.partition("/")
        current, held = self._metadata(client, path).current_version, {}
        with contextlib.suppress(InvalidPath):  # its newest version is deleted
            held = self._bao.answer(_read(client, mount, place), _Read).data.data if current else {}
        try:
            given = client.secrets.kv.v2.create_or_update_secret(
                place, {**held, field: value.reveal()}, cas=current, mount_point=mount
            )
        except InvalidRequest as error:
            if any("check-and-set" in str(each) for each in error.errors or ()):
                return None
            raise
        return self._bao.answer(given, _Write).data.version

    def _label(self, client: hvac.Client, path: str, labels: Mapping[str, str]) -> None:
        """Put *labels* in the place of those of the same name; others of a company's own stay."""
        mount, _, place = path.partition("/")
        others = self._metadata(client, path).custom_metadata or {}
        client.secrets.kv.v2.update_metadata(place, mount_point=mount, custom_metadata={**others, **labels})

    def _metadata(self, client: hvac.Client, path: str) -> _Metadata:
        from hvac.exceptions import InvalidPath  # noqa: PLC0415

        mount, _, place = path.partition("/")
        try:
            given = client.secrets.kv.v2.read_secret_metadata(place, mount_point=mount)
        except InvalidPath:
            return _Metadata(0)
        return self._bao.answer(given, _MetadataRead).data


def _read(client: hvac.Client, mount: str, place: str) -> Any:
    return client.secrets.kv.v2.read_secret_version(place, mount_point=mount, raise_on_deleted_version=True)
