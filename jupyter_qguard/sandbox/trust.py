"""The file of certificates that a kernel's clients trust, where something is brokered: the machine's, and its own one."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.catalog.model import Custody

if TYPE_CHECKING:
    from jupyter_qguard.policy import Policy

_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Debian, Fedora, openSUSE, Alpine and macOS."""


@dataclass(frozen=True, slots=True)
class Trust:
    """One kernel's file."""

    path: Path
    """Where the kernel reads it, and cannot write."""
    machine: Path
    """What its clients would trust without it."""

    def write(self, certificate: str) -> None:
        """Put the machine's certificates and *certificate* (PEM) there. Raises OSError."""
        self.path.write_bytes(self.machine.read_bytes().rstrip() + b"\n" + certificate.encode("ascii"))


def plan_trust(policy: Policy, connection_dir: Path) -> Trust | None:
    """The file for the kernel with *connection_dir*, beside that and out of its reach; None if nothing is brokered."""
    vendors = load_catalog().vendors
    custodies = {vendors[entry.vendor].brokering.custody for entry in policy.access if entry.vendor in vendors}
    if Custody.BROKERED not in custodies:
        return None
    path = connection_dir.with_name(f"{connection_dir.name}.pem")
    path.touch(mode=0o600)
    return Trust(path, Path(policy.egress.ca_bundle) if policy.egress.ca_bundle else _machine_bundle())


def _machine_bundle() -> Path:
    found = [os.environ.get("SSL_CERT_FILE", ""), ssl.get_default_verify_paths().cafile or "", *_USUAL]
    for text in found:
        if text and Path(text).is_file():
            return Path(text)
    return Path(certifi.where())
