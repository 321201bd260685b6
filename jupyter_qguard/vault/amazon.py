"""Clients of AWS for this machine, and what their refusals mean.

Without a profile in the policy they sign in as every tool of AWS does: by variables of the gateway's process, by the files
under ``~/.aws``, by the role of the instance. Proxies are those of the process's variables.
"""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from jupyter_qguard.vault.errors import (
    SecretMissingError,
    SecretUnusableError,
    SourceRefusedError,
    SourceUnavailableError,
    VaultError,
)
from jupyter_qguard.vault.quiet import quiet_libraries, quiet_wire
from jupyter_qguard.vault.source import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jupyter_qguard.policy.vaults import AwsVault
    from jupyter_qguard.secret import SecretValue

NO_LIBRARY = "the package boto3 is needed: pip install 'jupyter-qguard[aws]'"
_CONNECT_SECONDS = 3.0
_MISSING = frozenset({"ResourceNotFoundException"})
_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "DecryptionFailure"})
_SIGN_IN = frozenset(
    "ExpiredToken ExpiredTokenException InvalidClientTokenId InvalidSignatureException SignatureDoesNotMatch "
    "UnrecognizedClientException IncompleteSignature MissingAuthenticationTokenException".split()
)
_BUSY = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})


def has_library() -> bool:
    """Whether boto3 is installed; it is not imported."""
    return find_spec("boto3") is not None


def make_client(service: str, vault: AwsVault, keys: Mapping[str, SecretValue] | None = None) -> Any:
    """A client of *service*, safe for several threads; with *keys* it signs with them and with nothing else.

    Raises
    ------
    VaultError
        There is no boto3, no such profile, no region.
    """
    with translated(service):
        import boto3  # noqa: PLC0415 - only where AWS is used
        from botocore.config import Config  # noqa: PLC0415

        quiet_wire()
        own = {f"aws_{name}": value.reveal() for name, value in (keys or {}).items()}
        session = boto3.session.Session(
            profile_name=None if own else vault.profile or None, region_name=vault.region or None, **own
        )
        settings = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=PATIENCE,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
        return session.client(service, endpoint_url=vault.endpoint or None, config=settings)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """What boto3 raises, as an error of ours by whose move it is. *what* is the object, for messages."""
    try:
        from botocore import exceptions as aws  # noqa: PLC0415
    except ImportError:
        raise SourceUnavailableError(NO_LIBRARY) from None
    quiet_libraries()
    try:
        yield
    except aws.ClientError as error:
        raise _refusal(what, error.response.get("Error", {})) from None
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.TokenRetrievalError):
        raise SourceRefusedError(
            "nothing signs this machine in at AWS: give it a role, or sign in (`aws sso login`)"
        ) from None
    except aws.ProfileNotFound:
        raise SourceUnavailableError("AWS has no such profile here: see `vaults.aws.profile`") from None
    except aws.NoRegionError:
        raise SourceUnavailableError("no region of AWS is known: set `vaults.aws.region` in the policy") from None
    except aws.SSLError:
        raise SourceUnavailableError("the certificate of AWS, or of a proxy before it, is not trusted here") from None
    except (aws.ConnectTimeoutError, aws.ReadTimeoutError):
        raise SourceUnavailableError(f"AWS did not answer in {PATIENCE:g} s") from None
    except aws.BotoCoreError as error:
        raise SourceUnavailableError(f"AWS cannot be reached ({type(error).__name__})") from None


def _refusal(what: str, said: Mapping[str, Any]) -> VaultError:
    """The error for a code of AWS. Its message is left out: of a wrong policy it repeats the whole."""
    code = str(said.get("Code", ""))
    if code in _MISSING or (code == "InvalidRequestException" and "delet" in str(said.get("Message", ""))):
        return SecretMissingError(f"AWS has nothing called {what}, or it is about to be deleted")
    if code in _SIGN_IN:
        return SourceRefusedError(f"AWS does not take what this machine signs in with ({code}): sign in again")
    if code in _REFUSED:
        return SourceRefusedError(f"AWS refuses {what} to this machine ({code}): its policy there does not permit it")
    if code in _BUSY:
        return SourceUnavailableError("AWS has been asked too often: wait a moment")
    if code.startswith(("Internal", "Service")):
        return SourceUnavailableError(f"AWS has failed ({code}): try again")
    return SecretUnusableError(f"AWS does not do this with {what} ({code})")
