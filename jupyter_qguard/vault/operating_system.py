"""The keyring of the operating system, if it is a real one: no plaintext file, no null one, no chain that holds one.

The library's own choice is not used. It reads ``keyringrc.cfg``, which can name a folder to import code from, and may
settle silently on a backend that keeps values in plain text, behind a chain. Here the real ones are tried by name, and
nothing else is ever loaded.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from jupyter_qguard.vault.errors import SecretMissingError, SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REAL = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
)
"""Encrypted, and held by the session. Everything else is refused, whatever it calls itself."""
_OWN_PLUGINS = frozenset("Windows macOS libsecret SecretService KWallet chainer".split())
_CHOICE = "PYTHON_KEYRING_BACKEND"


class Backend(Protocol):
    """What is used of the library's backends."""

    def get_password(self, service: str, username: str) -> str | None: ...  # noqa: D102
    def set_password(self, service: str, username: str, password: str) -> None: ...  # noqa: D102
    def delete_password(self, service: str, username: str) -> None: ...  # noqa: D102


class SystemKeyring:
    """Items of one user, by service and name. Each call raises a :class:`~jupyter_qguard.vault.errors.VaultError`."""

    def __init__(self, backend: Backend) -> None:
        """Use :func:`system_keyring`."""
        self._backend = backend

    def read(self, service: str, name: str) -> str | None:
        """The value; None if there is none."""
        with self._used():
            return self._backend.get_password(service, name)

    def write(self, service: str, name: str, value: str) -> None:
        """Store a value in place of the one that is there."""
        with self._used():
            self._backend.set_password(service, name, value)

    def remove(self, service: str, name: str) -> None:
        """Remove a value; one that is not there is no error."""
        with self._used(), contextlib.suppress(SecretMissingError):
            self._remove(service, name)

    def _remove(self, service: str, name: str) -> None:
        from keyring.errors import PasswordDeleteError  # noqa: PLC0415 - only where a keyring is used

        try:
            self._backend.delete_password(service, name)
        except PasswordDeleteError:
            raise SecretMissingError("there is no such item") from None

    @contextlib.contextmanager
    def _used(self) -> Iterator[None]:
        """What the backend raises, as an error of ours: nobody knows what its own would say."""
        if locked := _locked(self._backend):
            raise SourceUnavailableError(locked)
        try:
            yield
        except SecretMissingError:
            raise
        except Exception as error:  # noqa: BLE001 - each backend has its own, and D-Bus more
            raise SourceUnavailableError(
                f"the keyring of the operating system did not do it ({type(error).__name__}): "
                "sign in at the desktop and unlock it, or use another source"
            ) from None


def system_keyring(environ: Mapping[str, str]) -> SystemKeyring:
    """The keyring of this session.

    Raises
    ------
    SourceUnavailableError
        There is no real one, and what there is instead.
    """
    chosen = environ.get(_CHOICE, "")
    if chosen and chosen not in _REAL:
        raise SourceUnavailableError(
            f"{_CHOICE} names {chosen}, which is no keyring of an operating system: values would lie in a file, in "
            "plain text, or nowhere. Unset it, or use local://"
        )
    reasons = []
    for name in (chosen,) if chosen else _REAL:
        backend, reason = _tried(name)
        if backend is not None:
            return SystemKeyring(backend)
        reasons.append(f"{name.split('.')[2]}: {reason}")
    raise SourceUnavailableError(
        f"no keyring of an operating system is there ({'; '.join(reasons)}){_passed_over()}. Use local://, or run this "
        "where you are signed in at a desktop"
    )


def _tried(name: str) -> tuple[Backend | None, str]:
    """The backend called *name*, or why it is none here."""
    module, _, kind = name.rpartition(".")
    try:
        backend = getattr(import_module(module), kind)
        backend.priority  # noqa: B018 - raises where it cannot work
        made: Backend = backend()
    except RuntimeError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - a backend for another system may raise anything
        return None, type(error).__name__
    return made, ""


def _passed_over() -> str:
    """Which other backends are installed, by name: people wonder why theirs is not taken."""
    others = sorted({entry.value for entry in entry_points(group="keyring.backends") if entry.name not in _OWN_PLUGINS})
    return f", and these are not used: {', '.join(others)}" if others else ""


def _locked(backend: Backend) -> str:
    """Why the Secret Service would ask a person now, which in a server nobody would answer; empty if it would not."""
    if type(backend).__module__ != "keyring.backends.SecretService":
        return ""
    import secretstorage  # noqa: PLC0415 - comes with keyring on Linux, and only there

    try:
        with contextlib.closing(secretstorage.dbus_init()) as bus:
            locked = secretstorage.Collection(bus).is_locked()
    except secretstorage.exceptions.ItemNotFoundException:
        return "the keyring of the operating system has no default collection yet: sign in at the desktop once"
    except Exception as error:  # noqa: BLE001 - D-Bus has many ways to be away
        return f"the keyring of the operating system does not answer ({type(error).__name__})"
    return "the keyring of the operating system is locked: unlock it and try again" if locked else ""
