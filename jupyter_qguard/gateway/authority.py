"""The certificate authority of one kernel: it vouches for the brokered hosts and, by its own constraint, for no other.

The kernel is told to trust it at its start, and nobody else ever does. The key stays in the gateway, and with its owner
for the gateway after this one.
"""

from __future__ import annotations

import datetime as dt
import os
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Collection

_LIFE = dt.timedelta(days=30)
"""Longer than kernels live; the authority dies with its kernel anyway."""
_EARLIER = dt.timedelta(hours=1)
"""Clocks differ."""


class Authority:
    """Makes the certificates of a kernel's brokered hosts."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key, self.certificate = key, certificate
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        constraint = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        self.hosts = frozenset(str(name.value) for name in constraint.permitted_subtrees or ())
        """The names that it vouches for."""
        self._contexts: dict[tuple[str, tuple[str, ...]], ssl.SSLContext] = {}

    @classmethod
    def make(cls, hosts: Collection[str]) -> Authority:
        """A new one, for *hosts* and no other."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jupyter-qguard session authority")])
        constraint = x509.NameConstraints([x509.DNSName(host) for host in sorted(hosts)], None)
        builder = _dated(name, name, key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(constraint, critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def load(cls, pem: str) -> Authority:
        """The one that :meth:`dump` gave. Raises ValueError."""
        data = pem.encode("ascii")
        key = serialization.load_pem_private_key(data, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            message = "the key of an authority is on an elliptic curve"
            raise ValueError(message)  # noqa: TRY004 - of the value
        return cls(key, x509.load_pem_x509_certificate(data))

    def dump(self) -> str:
        """Key and certificate, for the next gateway."""
        return self._pem(self._key) + self.public()

    def public(self) -> str:
        """The certificate in PEM, for the kernel."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def context(self, host: str, protocols: tuple[str, ...]) -> ssl.SSLContext:
        """What to speak TLS with as *host*, offering *protocols* (ALPN)."""
        known = self._contexts.get((host, protocols))
        if known is None:
            known = self._contexts[host, protocols] = self._context(host, protocols)
        return known

    def _context(self, host: str, protocols: tuple[str, ...]) -> ssl.SSLContext:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        builder = _dated(name, self.certificate.subject, self._leaf_key)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectKeyIdentifier.from_public_key(self._leaf_key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
        ]
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        leaf = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(list(protocols))
        _load(context, self._pem(self._leaf_key) + leaf + self.public())
        return context

    @staticmethod
    def _pem(key: ec.EllipticCurvePrivateKey) -> str:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii")


def _dated(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return (
        builder.serial_number(x509.random_serial_number()).not_valid_before(now - _EARLIER).not_valid_after(now + _LIFE)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load(context: ssl.SSLContext, pem: str) -> None:
    """Load a chain that OpenSSL takes from a file only, without one on a disk."""
    descriptor = os.memfd_create("certificates", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem.encode("ascii"))
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
