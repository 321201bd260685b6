"""``keyring://SERVICE/NAME``: the keyring of the operating system, with a registry of our own for what it cannot keep.

A keyring has a service, a name and a text. Owner, purpose, environment, expiry and the names of fields lie in a file of the
guard's own folder; a field lies in the keyring under ``NAME#FIELD``. Every program of the same session can read these items:
the sandbox hides the session's bus from kernels, and without it this is a source for a workstation, not for production.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.errors import SecretMissingError, SecretUnusableError, SourceUnavailableError
from jupyter_qguard.vault.folder import PrivateFolder
from jupyter_qguard.vault.operating_system import system_keyring
from jupyter_qguard.vault.source import SourceSettings, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

_REGISTRY = "keyring.json"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    fields: list[str]
    labels: dict[str, str]
    version: int


class _Registry(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1] = 1
    secrets: dict[str, _Entry] = {}


class KeyringSource:
    """The keyring of the session that the gateway, or the command line, was started in."""

    def __init__(self, settings: SourceSettings) -> None:
        self._folder, self._environ = PrivateFolder(settings.folder), settings.environ

    def viable(self) -> str:
        """Why there is no real keyring here."""
        try:
            system_keyring(self._environ)
        except SourceUnavailableError as error:
            return str(error)
        return ""

    def read(self, path: str) -> StoredSecret:
        """The secret at *path*. An item that another program made has no labels."""
        service, _, name = path.partition("/")
        entry = self._registry().secrets.get(path) or _Entry([""], {}, 0)
        keyring = system_keyring(self._environ)
        values = {field: keyring.read(service, _item(name, field)) for field in entry.fields}
        fields = {field: SecretValue(value) for field, value in values.items() if value}
        missing = sorted(values.keys() - fields.keys())
        if missing:
            which = f"its item {', '.join(_item(name, field) for field in missing)}" if fields else "it"
            raise SecretMissingError(
                f"keyring://{path}: {which} is not in the keyring; store it with `qguard vault add keyring://{path}`"
            )
        return StoredSecret(fields, entry.labels, str(entry.version))

    def renew(self) -> None:
        """Nothing to renew."""

    def close(self) -> None:
        """Nothing to give back."""

    def write(self, path: str, field: str, value: SecretValue, labels: Mapping[str, str]) -> str:
        """Store one field. First the value, then the labels: in between a new secret has none, and is not handed out."""
        service, _, name = path.partition("/")
        with self._folder.writing():
            registry = self._registry()
            entry = registry.secrets.get(path) or _Entry([], {}, 0)
            others = set(entry.fields) - {field}
            if others and "" in (field, *others):
                raise SecretUnusableError(
                    f"keyring://{path} holds either one value or named fields, and not both: remove it first, or choose "
                    "another name"
                )
            system_keyring(self._environ).write(service, _item(name, field), value.reveal())
            entry.fields, entry.labels = sorted({*entry.fields, field}), dict(labels)
            entry.version += 1
            registry.secrets[path] = entry
            self._folder.replace(_REGISTRY, msgspec.json.encode(registry))
        return str(entry.version)

    def remove(self, path: str) -> None:
        """Remove the items and their line in the registry."""
        service, _, name = path.partition("/")
        with self._folder.writing():
            registry, keyring = self._registry(), system_keyring(self._environ)
            entry = registry.secrets.pop(path, None)
            if entry is None and not keyring.read(service, name):
                raise SecretMissingError(f"keyring://{path} is not there")
            for field in entry.fields if entry else [""]:
                keyring.remove(service, _item(name, field))
            self._folder.replace(_REGISTRY, msgspec.json.encode(registry))

    def paths(self) -> list[str]:
        """What the registry knows; items of other programs are theirs."""
        return sorted(self._registry().secrets)

    def _registry(self) -> _Registry:
        text = self._folder.read(_REGISTRY)
        if text is None:
            return _Registry()
        try:
            return msgspec.json.decode(text, type=_Registry)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise SecretUnusableError(
                f"{self._folder.path / _REGISTRY} is no registry of the keyring: bring back a copy, or move it away and "
                "store the secrets anew"
            ) from None


def _item(name: str, field: str) -> str:
    """What the keyring calls a field; no name has a ``#``."""
    return f"{name}#{field}" if field else name
