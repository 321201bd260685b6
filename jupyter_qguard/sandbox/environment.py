"""The variables of a kernel: those of the server, without what opens something, and with the way out set.

A variable goes if it is one of a family (:data:`FAMILIES`), one of the catalogue's, named like a secret
(:data:`SECRET_WORDS`, :data:`SECRET_ENDINGS`, :data:`KEY_WORDS`), another proxy, or a URL with a password in it. All others stay: a kernel
needs the paths, the locale, and the settings of a thousand libraries.
"""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_qguard.catalog.loader import Catalog

FAMILIES = (
    # The server's own keys, and the guard's.
    "JUPYTERHUB_ JPY_ VAULT_ BAO_ QGUARD_ "
    # What an agent, a desktop, a container engine or a service manager listens on or holds.
    "SSH_ GPG_ DBUS_ GNOME_KEYRING_ DOCKER_ CONTAINERD_ PODMAN_ KUBERNETES_ LISTEN_ VSCODE_ WAYLAND_ "
    # Links to pods and services that Docker and Kubernetes put into the environment.
    "ECS_ ACTIONS_ CI_JOB_ "
    # Settings that pip, npm, uv and git take from the environment can carry an index or remote with its key.
    "NPM_CONFIG_ GIT_CONFIG_ PIP_INDEX_ PIP_EXTRA_INDEX_ UV_INDEX_"
).split()
"""Beginnings of names. Upper and lower case are one here and everywhere below."""
NAMES = frozenset(
    "XDG_RUNTIME_DIR DISPLAY XAUTHORITY TMUX STY NOTIFY_SOCKET CREDENTIALS_DIRECTORY KUBECONFIG NETRC "
    "AWS_PROFILE AWS_DEFAULT_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CREDENTIAL_FILE BOTO_CONFIG "
    "AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI "
    "GOOGLE_APPLICATION_CREDENTIALS AZURE_FEDERATED_TOKEN_FILE AZURE_CLIENT_CERTIFICATE_PATH AZURE_CONFIG_DIR "
    "CLOUDSDK_CONFIG PGPASSFILE MYSQL_PWD SUDO_ASKPASS TMPDIR TMP TEMP TEMPDIR".split()
)
"""Sockets, and files that hold credentials and are hidden anyway; and the folders for temporary files."""
SECRET_WORDS = frozenset(
    "TOKEN TOKENS SECRET SECRETS PASSWORD PASSWORDS PASSWD PASS PASSPHRASE CREDENTIAL CREDENTIALS APIKEY APITOKEN "
    "COOKIE AUTH AUTHORIZATION BEARER".split()
)
"""A name with one of these between its underscores is a secret's (``GH_TOKEN``); ``TOKENIZERS_PARALLELISM`` is not."""
SECRET_ENDINGS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "APIKEY")
"""Such a word's end is enough (``PGPASSWORD``)."""
KEY_WORDS = frozenset(
    "API ACCESS PRIVATE ACCOUNT STORAGE SIGNING ENCRYPTION MASTER SUBSCRIPTION SERVICE SSH AUTH DEPLOY LICENSE".split()
)
"""Before the word KEY they make a secret's name (``STORAGE_KEY``)."""
CA_BUNDLES = (
    "REQUESTS_CA_BUNDLE SSL_CERT_FILE CURL_CA_BUNDLE AWS_CA_BUNDLE GRPC_DEFAULT_SSL_ROOTS_FILE_PATH NODE_EXTRA_CA_CERTS "
    "PIP_CERT GIT_SSL_CAINFO DENO_CERT NIX_SSL_CERT_FILE CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE HTTPLIB2_CA_CERTS"
).split()
"""No single one is read by all clients."""
LOCAL = "localhost,127.0.0.1,::1"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]*:[^/?#\s]*@", re.IGNORECASE)
_WORDS = re.compile(r"[^A-Z0-9]+")


def kernel_environment(
    parent: Mapping[str, str], *, proxy: str, ca_bundle: str | None, catalog: Catalog
) -> dict[str, str]:
    """The variables of a kernel that is started by a process with those of *parent*.

    *proxy* is the URL of the gateway's listener as the kernel sees it. *ca_bundle* is the path, inside the sandbox, of a
    PEM file; without it the kernel trusts what it trusted before.
    """
    named = catalogue_variables(catalog)
    kept = {name: value for name, value in parent.items() if not (name.upper() in named or is_taken(name, value))}
    if ca_bundle is not None:
        kept = {name: value for name, value in kept.items() if name.upper() not in (*CA_BUNDLES, "SSL_CERT_DIR")}
        kept.update(dict.fromkeys(CA_BUNDLES, ca_bundle))
    for vendor in catalog.vendors.values():
        kept.update(vendor.telemetry.opt_out)
    kept.update(proxy_variables(proxy))
    # The first program of a pid namespace has the parent 1: ipykernel would take that for the death of its server.
    return {**kept, "TMPDIR": "/tmp", "JPY_PARENT_PID": "1"}  # noqa: S108 - the sandbox has a /tmp of its own


def proxy_variables(url: str) -> dict[str, str]:
    """The variables that lead clients to the proxy at *url*."""
    names = dict.fromkeys(_PROXIES, url) | {"NO_PROXY": LOCAL}
    return names | {name.lower(): value for name, value in names.items()}


def with_overlay(variables: Mapping[str, str], overlay: Path | None, library: str) -> dict[str, str]:
    """*variables* with which pip installs into *overlay* and Python imports from its *library*, after all else.

    By prefix and not by target: what the environment has is not installed once more.
    """
    if overlay is None or not library:
        return dict(variables)
    paths = [variables.get("PYTHONPATH", ""), str(overlay / library)]
    programs = [variables.get("PATH", ""), str(overlay / "bin")]
    return {
        **variables,
        "PIP_PREFIX": str(overlay),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PATH": os.pathsep.join(filter(None, programs)),
    }


def is_taken(name: str, value: str) -> bool:
    """Whether no kernel gets this variable, whatever the catalogue says."""
    upper = name.upper()
    words = [word for word in _WORDS.split(upper) if word]
    return (
        upper.startswith(tuple(FAMILIES))
        or upper in NAMES
        or not SECRET_WORDS.isdisjoint(words)
        or any(word.endswith(SECRET_ENDINGS) for word in words)
        or any(pair[1] == "KEY" and pair[0] in KEY_WORDS for pair in itertools.pairwise(words))
        or words[-2:] == ["CONNECTION", "STRING"]
        or words[-1:] == ["PROXY"]
        or _PASSWORD_IN_URL.search(value) is not None
    )


def catalogue_variables(catalog: Catalog) -> frozenset[str]:
    """The vendors' variables that hold a secret, or that redirect or weaken an SDK; in upper case."""
    names: set[str] = set()
    for vendor in catalog.vendors.values():
        names.update(vendor.environment.secret, vendor.environment.danger)
        for rule in vendor.rules:
            names.update(rule.variables)
    return frozenset(name.upper() for name in names)
