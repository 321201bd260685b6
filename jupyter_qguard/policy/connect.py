"""The ``vaults`` section: from its records to values, with what no schema can say."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_qguard.policy.vaults import AwsVault, BaoVault, SignIn, VaultsPolicy
from jupyter_qguard.secret import OWN_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_qguard.policy.document import Path
    from jupyter_qguard.policy.record import AwsRecord, BaoRecord, SignInRecord, VaultsRecord
    from jupyter_qguard.policy.structure import Mismatch

_SOURCE = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_SECRET_NAME = re.compile(r"(?i)(?:token|secret|password|passwd|passphrase|credential|api_?key|private_?key)s?")
"""A setting with such a name would hold the secret; one that ends with ``_file`` says where it lies."""
_NEEDS_FILE = (SignIn.APPROLE, SignIn.JWT)


def vaults_policy(record: VaultsRecord) -> VaultsPolicy:
    """What *record* means; :func:`vault_problems` says whether that can be."""
    return VaultsPolicy(
        openbao=_bao(record.openbao),
        vault=_bao(record.vault),
        aws=_aws(record.aws),
        others={name: dict(settings) for name, settings in record.others.items()},
    )


def vault_problems(record: VaultsRecord) -> Iterator[Mismatch]:
    """Everything in *record* that cannot be, or must not stand in a policy."""
    for name, bao in (("openbao", record.openbao), ("vault", record.vault)):
        if bao is not None:
            yield from _bao_problems(bao, ("vaults", name))
    if record.aws is not None and record.aws.endpoint is not None:
        yield from _url_problems(record.aws.endpoint, ("vaults", "aws", "endpoint"))
    for name, settings in record.others.items():
        path: Path = ("vaults", "others", name)
        if name in OWN_SOURCES:
            yield path, f"`{name}` is a source of the guard's own: write `vaults.{name}`, if it has settings"
        elif not _SOURCE.fullmatch(name):
            yield path, "a source's name has lower-case letters and digits, and `-` or `_` between words"
        for key in settings:
            if key.endswith("_file") and not settings[key].startswith("/"):
                yield (*path, key), "must be the absolute path of a file"
            elif _SECRET_NAME.search(key) and not key.endswith("_file"):
                yield (*path, key), f"a secret never stands in a policy: name the file that holds it, as `{key}_file`"


def _bao(record: BaoRecord | None) -> BaoVault:
    if record is None:
        return BaoVault()
    sign_in = record.sign_in
    return BaoVault(
        address=record.address or "",
        namespace=record.namespace or "",
        ca_bundle=record.ca_bundle,
        method=sign_in.method if sign_in else SignIn.TOKEN,
        mount=(sign_in.mount or "") if sign_in else "",
        role=(sign_in.role or "") if sign_in else "",
        file=sign_in.file if sign_in else None,
        wrapped=sign_in.wrapped if sign_in else False,
    )


def _aws(record: AwsRecord | None) -> AwsVault:
    if record is None:
        return AwsVault()
    return AwsVault(region=record.region or "", profile=record.profile or "", endpoint=record.endpoint or "")


def _bao_problems(record: BaoRecord, path: Path) -> Iterator[Mismatch]:
    if record.address is not None:
        yield from _url_problems(record.address, (*path, "address"))
    if record.ca_bundle is not None and not record.ca_bundle.startswith("/"):
        yield (*path, "ca_bundle"), "must be an absolute path"
    if record.sign_in is not None:
        yield from _sign_in_problems(record.sign_in, (*path, "sign_in"))


def _sign_in_problems(record: SignInRecord, path: Path) -> Iterator[Mismatch]:
    method = record.method
    if record.file is not None and not record.file.startswith("/"):
        yield (*path, "file"), "must be the absolute path of a file: what signs in never stands in a policy"
    if record.role is None and method is not SignIn.TOKEN:
        yield path, f"`method: {method.value}` needs `role`"
    if record.role is not None and method is SignIn.TOKEN:
        yield (*path, "role"), "a token has no role to ask for"
    if record.file is None and method in _NEEDS_FILE:
        yield path, f"`method: {method.value}` needs `file`"
    if record.wrapped and method is not SignIn.APPROLE:
        yield (*path, "wrapped"), "only the secret id of an AppRole can be wrapped"


def _url_problems(text: str, path: Path) -> Iterator[Mismatch]:
    problem = url_problem(text)
    if problem:
        yield path, problem


def url_problem(text: str) -> str:
    """Why *text* is no address of a vault; empty if it is one. Without TLS only this machine's own."""
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        return "not a URL; write it as https://vault.example.org:8200"
    if "@" in text:
        return "a user or password does not belong here: write the URL without it"
    if not usable or url.path.strip("/") or url.query or url.fragment:
        return "write it as https://vault.example.org:8200: scheme, host and port, nothing else"
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        return "without TLS everybody on the network could read the secrets: https://, save on 127.0.0.1"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
