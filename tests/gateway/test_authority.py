"""A kernel's authority vouches for the brokered hosts and for no other, to clients that check with all strictness."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from jupyter_qguard.gateway.authority import Authority

HOSTS = ("api.vendor.test", "auth.vendor.test")


def shake(server: ssl.SSLContext, client: ssl.SSLContext, name: str):
    """Both sides of a handshake in memory; the client's error if it has one."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(down, up, server_hostname=name)
    other = server.wrap_bio(up, down, server_side=True)
    for _ in range(6):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return one


def strict(authority):
    context = ssl.create_default_context(cadata=authority.public())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.mark.parametrize("host", HOSTS)
def test_a_strict_client_takes_a_brokered_host(host):
    authority = Authority.make(HOSTS)
    agreed = shake(authority.context(host, ("http/1.1",)), strict(authority), host)
    assert agreed.selected_alpn_protocol() is None
    assert agreed.getpeercert()["subjectAltName"] == (("DNS", host),)


@pytest.mark.parametrize("host", ["elsewhere.test", "vendor.test", "api.vendor.test.elsewhere.test"])
def test_no_client_takes_another_host_of_it(host):
    authority = Authority.make(HOSTS)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(authority.context(host, ("http/1.1",)), strict(authority), host)


def test_the_next_gateway_goes_on_with_it():
    first = Authority.make(HOSTS)
    second = Authority.load(first.dump())
    assert second.hosts == frozenset(HOSTS)
    assert second.public() == first.public()
    assert "PRIVATE" not in first.public()
    shake(second.context(HOSTS[0], ("http/1.1",)), strict(first), HOSTS[0])


def test_its_keys_are_on_no_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Authority.make(HOSTS).context(HOSTS[0], ("http/1.1",))
    assert not list(tmp_path.iterdir())


def test_openssl_reads_the_constraint(tmp_path):
    (tmp_path / "ca.pem").write_text(Authority.make(HOSTS).public(), encoding="ascii")
    said = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "ca.pem", "-noout", "-text"], check=True, capture_output=True, text=True
    ).stdout
    assert "X509v3 Name Constraints: critical" in said
    assert "DNS:api.vendor.test" in said
    assert "CA:TRUE, pathlen:0" in said
