"""A connection to OpenBao or HashiCorp Vault: where it is, how to sign in, and what its refusals mean.

What signs in lies in a file and is read at each sign-in. A token that signing in brought is renewed while the gateway
lives and revoked at its end; one that a person put there is theirs, and is left alone.

Redirects are not followed: the token would be sent to wherever they lead. Of the process's variables only ``BAO_*`` and
``VAULT_*`` count, and ``SSL_CERT_FILE``: no proxy, no ``.netrc``, no switch that turns the check of certificates off.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from jupyter_qguard.policy.connect import url_problem
from jupyter_qguard.policy.vaults import SignIn
from jupyter_qguard.vault.errors import (
    SecretMissingError,
    SecretUnusableError,
    SourceRefusedError,
    SourceUnavailableError,
)
from jupyter_qguard.vault.quiet import quiet_libraries, quiet_wire
from jupyter_qguard.vault.source import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import hvac

    from jupyter_qguard.policy.vaults import BaoVault

_CONNECT_SECONDS = 3.0
_POD_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - where it lies, not what it is
_NO_LIBRARY = "the package hvac is needed: pip install 'jupyter-qguard[openbao]'"
_MAX_FILE = 1 << 16
_SHORTEST_RENEWAL = 1.0

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


class _Auth(msgspec.Struct):
    client_token: str
    lease_duration: int = 0
    renewable: bool = False


class _Login(msgspec.Struct):
    auth: _Auth


class _TokenData(msgspec.Struct):
    ttl: int = 0
    renewable: bool = False


class _Lookup(msgspec.Struct):
    data: _TokenData


class _SecretId(msgspec.Struct):
    secret_id: str


class _Unwrapped(msgspec.Struct):
    data: _SecretId


@dataclass(slots=True)
class _SignedIn:
    client: hvac.Client
    own: bool
    """Whether signing in brought the token, so that it is ours to revoke."""
    renewable: bool


class BaoConnection:
    """Signs in when first used, and again when the token has ended. Safe for several threads."""

    def __init__(self, name: str, vault: BaoVault, environ: Mapping[str, str]) -> None:
        """*name* is the source's: ``openbao`` looks at ``BAO_*`` before ``VAULT_*``, ``vault`` at the latter alone."""
        self._name, self._vault, self._environ = name, vault, environ
        self._prefixes = ("BAO_", "VAULT_") if name == "openbao" else ("VAULT_",)
        self.address = (vault.address or self._variable("ADDR")).rstrip("/")
        self._gate = threading.Lock()
        self._signed_in: _SignedIn | None = None
        self._closed = False

    def problem(self) -> str:
        """Why there is nothing to connect to, or nothing to connect with; empty if there is."""
        if find_spec("hvac") is None:
            return _NO_LIBRARY
        if not self.address:
            return (
                f"no address is known: set `vaults.{self._name}.address` in the policy, or {self._prefixes[0]}ADDR for "
                "the process that starts the gateway"
            )
        wrong = url_problem(self.address)
        return f"its address cannot be used: {wrong}" if wrong else ""

    def call(self, what: str, act: Callable[[hvac.Client], T]) -> T:
        """What *act* does with a client that has signed in; *what* is its object, for messages.

        A token that has ended in the meantime is replaced once. So *act* may run twice: only what can be repeated.
        """
        with self._translated(what):
            from hvac.exceptions import Forbidden  # noqa: PLC0415 - only where a vault is used

            signed_in = self._sign_in()
            try:
                return act(signed_in.client)
            except Forbidden:
                if self._holds(signed_in):
                    raise
            return act(self._sign_in(instead_of=signed_in).client)

    def renew(self) -> float | None:
        """Renew the token; in how many seconds to do so again."""
        from hvac.exceptions import Forbidden, InvalidRequest  # noqa: PLC0415

        with self._gate:
            signed_in = self._signed_in
        if signed_in is None or not signed_in.renewable:
            return None
        with self._translated("the token"):
            try:
                auth = self.answer(signed_in.client.auth.token.renew_self(), _Login).auth
            except (Forbidden, InvalidRequest):
                self._forget(signed_in)
                return None
        return max(_SHORTEST_RENEWAL, auth.lease_duration / 2)

    def close(self) -> None:
        """Revoke the token if signing in brought it. One that cannot be revoked now ends by itself in time."""
        with self._gate:
            signed_in, self._signed_in, self._closed = self._signed_in, None, True
        if signed_in is None:
            return
        if signed_in.own:
            with (
                contextlib.suppress(
                    SourceUnavailableError, SourceRefusedError, SecretMissingError, SecretUnusableError
                ),
                self._translated("the token"),
            ):
                signed_in.client.auth.token.revoke_self()
        signed_in.client.adapter.close()

    def answer(self, given: object, kind: type[S]) -> S:
        """*given*, which should be a JSON object, as a *kind*."""
        status = getattr(given, "status_code", None)
        if status is not None and 300 <= status < 400:
            raise SourceUnavailableError(
                f"{self._shown} sends this machine on to another server, which is not followed: set the address to that "
                "of the active server, or of what stands before all of them"
            )
        try:
            return msgspec.convert(given, kind)
        except msgspec.ValidationError:
            given = None  # it may hold a value, which a traceback with variables would show
        raise SecretUnusableError(f"{self._shown} answered with something else than the API of OpenBao and Vault says")

    @property
    def _shown(self) -> str:
        return f"{self._name} at {self.address}"

    def _variable(self, name: str) -> str:
        return next((value for prefix in self._prefixes if (value := self._environ.get(prefix + name, ""))), "")

    def _sign_in(self, instead_of: _SignedIn | None = None) -> _SignedIn:
        with self._gate:
            if self._closed:
                raise SourceUnavailableError(f"{self._name} is closed: the gateway is ending")
            if self._signed_in is None or self._signed_in is instead_of:
                self._signed_in = None
                self._signed_in = self._new_token()
            return self._signed_in

    def _forget(self, signed_in: _SignedIn) -> None:
        with self._gate:
            if self._signed_in is signed_in:
                self._signed_in = None

    def _holds(self, signed_in: _SignedIn) -> bool:
        """Whether the token is still one: then it was not the token that a request was refused for."""
        from hvac.exceptions import Forbidden  # noqa: PLC0415

        try:
            signed_in.client.auth.token.lookup_self()
        except Forbidden:
            return False
        return True

    def _new_token(self) -> _SignedIn:
        client, vault = self._client(), self._vault
        if vault.method is SignIn.TOKEN:
            return self._with_token(client)
        mount, role = vault.mount or vault.method.value, vault.role
        from hvac.exceptions import Forbidden, InvalidRequest, Unauthorized  # noqa: PLC0415

        try:
            given = self._login(client, mount, role)
        except (Forbidden, InvalidRequest, Unauthorized) as error:
            raise SourceRefusedError(
                f"{self._shown} does not let this machine sign in by {vault.method.value} at `{mount}`"
                f"{_reasons(error)}: whoever runs it looks at the role, and at {vault.file or _POD_TOKEN}"
            ) from None
        auth = self.answer(given, _Login).auth
        client.token = auth.client_token
        return _SignedIn(client, own=True, renewable=auth.renewable)

    def _login(self, client: hvac.Client, mount: str, role: str) -> object:
        """What the vault answers to the method's own way of signing in."""
        method, file = self._vault.method, self._vault.file
        if method is SignIn.APPROLE:
            return client.auth.approle.login(role, self._secret_id(client), mount_point=mount, use_token=False)
        if method is SignIn.JWT:
            return client.auth.jwt.jwt_login(role, self._from_file(file), path=mount, use_token=False)
        token = self._from_file(file or _POD_TOKEN)
        return client.auth.kubernetes.login(role, token, mount_point=mount, use_token=False)

    def _with_token(self, client: hvac.Client) -> _SignedIn:
        """Sign in with a token that somebody else made."""
        from hvac.exceptions import Forbidden  # noqa: PLC0415

        file, text = self._vault.file, ""
        if file is None:
            text = self._variable("TOKEN")
            file = str(Path(self._environ.get("HOME", "/nonexistent")) / ".vault-token")
        where = f"{self._prefixes[0]}TOKEN" if text else file
        if not text and self._vault.file is None and not Path(file).exists():
            raise SourceRefusedError(
                f"there is no token for {self._shown}: sign in (`bao login`), set {self._prefixes[0]}TOKEN, or write "
                f"`vaults.{self._name}.sign_in` into the policy"
            )
        client.token = text or self._from_file(file)
        try:
            found = self.answer(client.auth.token.lookup_self(), _Lookup).data
        except Forbidden:
            raise SourceRefusedError(
                f"{self._shown} does not know the token of {where}, or it has ended: sign in again (`bao login`)"
            ) from None
        return _SignedIn(client, own=False, renewable=found.renewable and found.ttl > 0)

    def _secret_id(self, client: hvac.Client) -> str:
        text = self._from_file(self._vault.file)
        if not self._vault.wrapped:
            return text
        from hvac.exceptions import Forbidden, InvalidRequest  # noqa: PLC0415

        client.token = text  # it opens itself, and nothing else
        try:
            unwrapped = client.sys.unwrap()
            client.token = ""
            return self.answer(unwrapped, _Unwrapped).data.secret_id
        except (Forbidden, InvalidRequest):
            raise SourceRefusedError(
                f"what {self._vault.file} holds was unwrapped before, or is too old. If this machine did not do it, "
                "somebody else has the secret id: have it destroyed. Then put a new one there"
            ) from None

    def _from_file(self, name: str | None) -> str:
        try:
            with open(name or "", "rb") as file:  # noqa: PTH123 - of a name that may be empty
                text = file.read(_MAX_FILE).decode("ascii").strip()
        except OSError as error:
            raise SourceUnavailableError(f"{name}, which signs in at {self._shown}: {error.strerror}") from None
        except UnicodeDecodeError:
            text = ""
        if not text:
            raise SourceUnavailableError(f"{name} holds nothing that could sign in at {self._shown}")
        return text

    def _client(self) -> hvac.Client:
        import hvac  # noqa: PLC0415
        import requests  # noqa: PLC0415, TID251

        if problem := self.problem():
            raise SourceUnavailableError(f"{self._name}: {problem}")
        quiet_wire()
        session = requests.Session()
        session.trust_env, session.verify = False, self._authorities()
        return hvac.Client(
            url=self.address,
            token="",
            timeout=(_CONNECT_SECONDS, PATIENCE),
            allow_redirects=False,
            session=session,
            namespace=self._vault.namespace or self._variable("NAMESPACE") or None,
        )

    def _authorities(self) -> str | bool:
        """Whom to trust: a file, a folder, or what comes with the library."""
        named = self._vault.ca_bundle or self._variable("CACERT") or self._environ.get("SSL_CERT_FILE", "")
        system = ssl.get_default_verify_paths()
        return named or system.cafile or system.capath or True

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """What the libraries raise, as an error of ours by whose move it is. None of theirs goes on: they hold answers."""
        try:
            from hvac import exceptions as bao  # noqa: PLC0415
            from requests import exceptions as wire  # noqa: PLC0415, TID251 - what hvac speaks through
        except ImportError:
            raise SourceUnavailableError(f"{self._name}: {_NO_LIBRARY}") from None

        quiet_libraries()
        try:
            yield
        except (bao.Forbidden, bao.Unauthorized):
            raise SourceRefusedError(
                f"{self._shown} refuses {what} to this machine: its policy there does not permit it, or there is no such "
                "mount. Whoever runs it can tell"
            ) from None
        except bao.InvalidPath:
            raise SecretMissingError(
                f"{self._shown} has nothing at {what}, or it was deleted, or no such mount"
            ) from None
        except bao.InvalidRequest as error:
            raise SecretUnusableError(
                f"{self._shown} does not understand the request for {what}{_reasons(error)}: is the mount version 2 of "
                "the key-value engine?"
            ) from None
        except bao.RateLimitExceeded:
            raise SourceUnavailableError(f"{self._shown} has been asked too often: wait a moment") from None
        except bao.VaultDown as error:
            sealed = any("sealed" in str(each) for each in error.errors or ())
            why = "is sealed: whoever runs it must unseal it" if sealed else "is not in service"
            raise SourceUnavailableError(f"{self._shown} {why}") from None
        except bao.VaultError as error:
            raise SourceUnavailableError(f"{self._shown} has failed ({type(error).__name__})") from None
        except wire.SSLError:
            raise SourceUnavailableError(
                f"{self._shown}: its certificate is not trusted here, or is for another name: see "
                f"`vaults.{self._name}.ca_bundle`"
            ) from None
        except wire.Timeout:
            raise SourceUnavailableError(f"{self._shown} did not answer in {PATIENCE:g} s") from None
        except wire.RequestException:
            raise SourceUnavailableError(
                f"{self._shown} cannot be reached: is it up, and is the address right?"
            ) from None
        except OSError as error:
            raise SourceUnavailableError(
                f"{self._shown} cannot be reached ({error.strerror or 'is `ca_bundle` there?'})"
            ) from None


def _reasons(error: Any) -> str:
    """What the vault itself says, made short: it speaks of roles and claims, not of values."""
    said = "; ".join(str(each) for each in error.errors or ())
    said = "".join(char if char.isprintable() else " " for char in said)[:200].strip()
    return f" ({said})" if said else ""
