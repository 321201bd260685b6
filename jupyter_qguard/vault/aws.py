"""``aws://NAME#FIELD``: AWS Secrets Manager. Governance is in tags of the same names.

A secret is text with a JSON object in it, as the console of AWS makes it, or one value. A value and the tags come by two
calls: AWS has none that gives both.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault.amazon import NO_LIBRARY, has_library, make_client, translated
from jupyter_qguard.vault.errors import SecretMissingError, SecretUnusableError, SourceUnavailableError
from jupyter_qguard.vault.source import SourceSettings, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICE = "secretsmanager"

S = TypeVar("S", bound=msgspec.Struct)


class _Value(msgspec.Struct):
    version: str = msgspec.field(name="VersionId")
    text: str | None = msgspec.field(name="SecretString", default=None)


class _Tag(msgspec.Struct):
    key: str = msgspec.field(name="Key")
    value: str = msgspec.field(name="Value", default="")


class _Description(msgspec.Struct):
    tags: list[_Tag] = msgspec.field(name="Tags", default_factory=list)


class AwsSource:
    """Secrets Manager in one region of one account."""

    def __init__(self, settings: SourceSettings) -> None:
        self._vault = settings.vaults.aws
        self._gate = threading.Lock()
        self._made: Any = None
        self._closed = False

    def viable(self) -> str:
        """Why AWS cannot be asked."""
        return "" if has_library() else NO_LIBRARY

    def read(self, path: str) -> StoredSecret:
        """The current version of the secret called *path*."""
        client, what = self._client(), f"aws://{path}"
        with translated(what):
            value = _answer(client.get_secret_value(SecretId=path), _Value)
            tags = _answer(client.describe_secret(SecretId=path), _Description).tags
        if value.text is None:
            raise SecretUnusableError(f"{what} is binary: store it as text")
        fields = {name: SecretValue(text) for name, text in _fields(value.text).items() if text}
        return StoredSecret(fields, {tag.key: tag.value for tag in tags}, value.version)

    def renew(self) -> None:
        """Nothing: the library renews what it signs with."""

    def close(self) -> None:
        """Close the connections."""
        with self._gate:
            client, self._made, self._closed = self._made, None, True
        if client is not None:
            client.close()

    def write(self, path: str, field: str, value: SecretValue, labels: Mapping[str, str]) -> str:
        """Store one field, and the tags after it. Of two who write at once one may lose: AWS cannot be asked to refuse."""
        client, what = self._client(), f"aws://{path}"
        with translated(what):
            try:
                with translated(what):
                    held = _fields(_answer(client.get_secret_value(SecretId=path), _Value).text or "")
            except SecretMissingError:
                tags = [{"Key": name, "Value": text} for name, text in labels.items()]
                made = client.create_secret(Name=path, SecretString=_text({field: value.reveal()}), Tags=tags)
                return _answer(made, _Value).version
            if "" in (field, *held) and held.keys() != {field}:
                raise SecretUnusableError(f"{what} holds either one value or named fields, and not both")
            given = client.put_secret_value(SecretId=path, SecretString=_text({**held, field: value.reveal()}))
            client.tag_resource(SecretId=path, Tags=[{"Key": name, "Value": text} for name, text in labels.items()])
        return _answer(given, _Value).version

    def remove(self, path: str) -> None:
        """Have it deleted, after the days in which AWS lets it be brought back."""
        client = self._client()
        with translated(f"aws://{path}"):
            client.delete_secret(SecretId=path)

    def paths(self) -> tuple[str, ...]:
        """Nothing: a company's account is not searched."""
        return ()

    def _client(self) -> Any:
        with self._gate:
            if self._closed:
                raise SourceUnavailableError("aws is closed: the gateway is ending")
            if self._made is None:
                self._made = make_client(_SERVICE, self._vault)
            return self._made


def _answer(given: object, kind: type[S]) -> S:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError:
        given = None  # it may hold a value, which a traceback with variables would show
    raise SecretUnusableError("AWS answered with something else than its interface says")


def _fields(text: str) -> dict[str, str]:
    """The fields of a JSON object of texts, other values left out; any other text as one value."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        return {"": text}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _text(fields: Mapping[str, str]) -> str:
    return fields[""] if fields.keys() == {""} else msgspec.json.encode(fields).decode()
