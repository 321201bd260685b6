"""``local://NAME``: the embedded vault, one ``age`` file in the guard's own folder.

It protects from kernels, which do not see that folder, and from whoever copies the file without its key. It does not
protect from the owner of the account: key and file are theirs. The key lies in the keyring of the operating system if
there is a real one when the vault is made, else beside the file; a line in the key file says which.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

import msgspec

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.errors import SecretMissingError, SecretUnusableError, SourceUnavailableError
from jupyter_qguard.vault.folder import PrivateFolder
from jupyter_qguard.vault.operating_system import system_keyring
from jupyter_qguard.vault.source import SourceSettings, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyrage.x25519 import Identity

_VAULT, _KEY = "vault.age", "vault.key"
_SERVICE = "jupyter-qguard"
_IN_KEYRING = "keyring:"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    fields: dict[str, str]
    labels: dict[str, str]
    version: int
    changed: str


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1] = 1
    secrets: dict[str, _Entry] = {}


class LocalSource:
    """The embedded vault in one folder. Works without a terminal and without a network."""

    def __init__(self, settings: SourceSettings) -> None:
        self._folder, self._environ = PrivateFolder(settings.folder), settings.environ

    def viable(self) -> str:
        """Empty: it needs nothing but a folder."""
        return ""

    def read(self, path: str) -> StoredSecret:
        """The secret called *path*."""
        entry = self._content().secrets.get(path)
        if entry is None:
            raise SecretMissingError(
                f"local://{path} is not there; store it with `qguard vault add local://{path} --owner … --purpose … "
                "--environment … --expires …`"
            )
        fields = {name: SecretValue(value) for name, value in entry.fields.items()}
        return StoredSecret(fields, entry.labels, str(entry.version))

    def renew(self) -> None:
        """Nothing to renew."""

    def close(self) -> None:
        """Nothing to give back."""

    def write(self, path: str, field: str, value: SecretValue, labels: Mapping[str, str]) -> str:
        """Store one field; the first write makes the vault and its key."""
        with self._folder.writing():
            content = self._content()
            entry = content.secrets.get(path) or _Entry({}, {}, 0, "")
            others = entry.fields.keys() - {field}
            if others and "" in (field, *others):
                held = "one value without a field's name" if "" in others else f"the fields {', '.join(sorted(others))}"
                raise SecretUnusableError(
                    f"local://{path} holds {held}, and one secret has either that or named fields: remove it first, or "
                    "choose another name"
                )
            entry.fields[field], entry.labels = value.reveal(), dict(labels)
            entry.version += 1
            entry.changed = datetime.now(timezone.utc).isoformat(timespec="seconds")
            content.secrets[path] = entry
            self._store(content)
        return str(entry.version)

    def remove(self, path: str) -> None:
        """Remove one secret."""
        with self._folder.writing():
            content = self._content()
            if content.secrets.pop(path, None) is None:
                raise SecretMissingError(f"local://{path} is not there")
            self._store(content)

    def paths(self) -> list[str]:
        """The names of all that it holds."""
        return sorted(self._content().secrets)

    def _content(self) -> _Content:
        import pyrage  # noqa: PLC0415 - only where the vault is used

        sealed = self._folder.read(_VAULT)
        if sealed is None:
            return _Content()
        key = self._key()
        if key is None:
            raise SourceUnavailableError(
                f"{self._folder.path / _KEY} is not there, and without it {_VAULT} beside it cannot be opened: put the "
                "key file back, or move both away and store the secrets anew"
            )
        try:
            opened = pyrage.decrypt(sealed, [key])
            return msgspec.json.decode(opened, type=_Content)
        except (pyrage.DecryptError, msgspec.MsgspecError, UnicodeDecodeError):
            raise SecretUnusableError(
                f"{self._folder.path / _VAULT} cannot be opened with its key, or is no vault: bring back a copy of both "
                "files from one time; nothing was changed"
            ) from None

    def _store(self, content: _Content) -> None:
        """Seal *content*, make sure that it opens again, and put it in the place of what was there."""
        import pyrage  # noqa: PLC0415

        key = self._key() or self._make_key()
        plain = msgspec.json.encode(content)
        sealed = pyrage.encrypt(plain, [key.to_public()])
        if pyrage.decrypt(sealed, [key]) != plain:
            raise SecretUnusableError("the vault would not open again, so nothing was written")
        self._folder.replace(_VAULT, sealed)

    def _key(self) -> Identity | None:
        from pyrage import IdentityError, x25519  # noqa: PLC0415

        text = (self._folder.read(_KEY) or b"").decode("ascii", "replace").strip()
        if not text:
            return None
        if text.startswith(_IN_KEYRING):
            name = text.removeprefix(_IN_KEYRING)
            text = system_keyring(self._environ).read(_SERVICE, name) or ""
            if not text:
                raise SourceUnavailableError(
                    f"the key of the local vault is not in the keyring of the operating system (item {name}): bring it "
                    "back, or move the vault's folder away and store the secrets anew"
                )
        try:
            return x25519.Identity.from_str(text)
        except IdentityError:
            raise SecretUnusableError(f"{self._folder.path / _KEY} holds no key of the vault") from None

    def _make_key(self) -> Identity:
        """A new key, in the keyring if that will have it, else in a file."""
        from pyrage import x25519  # noqa: PLC0415

        key = x25519.Identity.generate()
        try:
            keyring, name = system_keyring(self._environ), f"local-vault-{secrets.token_hex(8)}"
            keyring.write(_SERVICE, name, str(key))
            line = f"{_IN_KEYRING}{name}"
        except SourceUnavailableError:
            line = str(key)
        self._folder.replace(_KEY, f"{line}\n".encode())
        return key
