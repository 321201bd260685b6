"""The ``vaults`` section: addresses, names and files, and never a secret."""

from __future__ import annotations

import pytest

from jupyter_qguard.errors import PolicyError
from jupyter_qguard.policy import STARTER, parse_policy
from jupyter_qguard.policy.parse import parse_tightening
from jupyter_qguard.policy.vaults import AwsVault, BaoVault, SignIn, VaultsPolicy
from jupyter_qguard.secret import SecretRef

HEAD = "apiVersion: qguard/v1\n"
WHOLE = (
    HEAD
    + """
vaults:
  openbao:
    address: https://bao.example.org:8200
    namespace: quantum
    ca_bundle: /etc/ssl/bao.pem
    sign_in: {method: approle, mount: machines, role: 8b1f, file: /etc/jupyter-qguard/secret-id, wrapped: true}
  vault:
    address: http://127.0.0.1:8200
    sign_in: {method: kubernetes, role: qguard}
  aws: {region: eu-central-1, profile: qguard, endpoint: "https://secrets.example.org"}
  others:
    example: {url: "https://example.org", token_file: /run/token}
access:
  - {name: a, vendor: ionq, environment: dev, owner: o, purpose: p, expires: 2027-01-31, secret: "example://team/ionq#key"}
"""
)


def test_every_setting_becomes_a_value():
    policy = parse_policy(WHOLE, "p.yaml")
    assert policy.vaults == VaultsPolicy(
        openbao=BaoVault(
            address="https://bao.example.org:8200",
            namespace="quantum",
            ca_bundle="/etc/ssl/bao.pem",
            method=SignIn.APPROLE,
            mount="machines",
            role="8b1f",
            file="/etc/jupyter-qguard/secret-id",
            wrapped=True,
        ),
        vault=BaoVault(address="http://127.0.0.1:8200", method=SignIn.KUBERNETES, role="qguard"),
        aws=AwsVault(region="eu-central-1", profile="qguard", endpoint="https://secrets.example.org"),
        others={"example": {"url": "https://example.org", "token_file": "/run/token"}},
    )
    assert policy.vaults.files == ("/etc/jupyter-qguard/secret-id", "/run/token")
    assert policy.access[0].secrets == {"": SecretRef("example", "team/ionq", "key")}
    assert parse_policy(HEAD, "p.yaml").vaults == VaultsPolicy()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("openbao: {address: bao.example.org}", "vaults.openbao.address: write it as https://"),
        ("openbao: {address: 'https://bao.example.org/v1'}", "vaults.openbao.address: write it as https://"),
        ("openbao: {address: 'https://me:pw@bao.example.org'}", "a user or password does not belong here"),
        ("openbao: {address: 'http://bao.example.org:8200'}", "without TLS everybody"),
        ("openbao: {address: 'http://127.0.0.1.example.org'}", "without TLS everybody"),
        ("openbao: {address: 'https://bao.example.org:port'}", "not a URL"),
        ("openbao: {token: hvs.x}", "unknown key `token` in `vaults.openbao`"),
        ("openbao: {ca_bundle: bao.pem}", "vaults.openbao.ca_bundle: must be an absolute path"),
        ("openbao: {sign_in: {method: password}}", "allowed: token, approle, jwt, kubernetes"),
        ("openbao: {sign_in: {method: approle, file: /f}}", "`method: approle` needs `role`"),
        ("openbao: {sign_in: {method: approle, role: r}}", "`method: approle` needs `file`"),
        ("vault: {sign_in: {method: jwt, role: r}}", "`method: jwt` needs `file`"),
        ("vault: {sign_in: {method: token, role: r}}", "a token has no role"),
        ("vault: {sign_in: {method: jwt, role: r, file: /f, wrapped: true}}", "only the secret id"),
        ("vault: {sign_in: {method: token, file: hvs.CAESIJ}}", "what signs in never stands in a policy"),
        ("aws: {secret_access_key: x}", "unknown key `secret_access_key`"),
        ("aws: {endpoint: 'http://aws.example.org'}", "vaults.aws.endpoint: without TLS"),
        ("others: {openbao: {}}", "`openbao` is a source of the guard's own"),
        ("others: {'Ex ample': {}}", "lower-case letters"),
        ("others: {example: {api_token: x}}", "name the file that holds it, as `api_token_file`"),
        ("others: {example: {token_file: token}}", "must be the absolute path of a file"),
        ("others: {example: {password: x}}", "a secret never stands in a policy"),
    ],
)
def test_what_cannot_be_or_must_not_stand_there_is_told_with_its_line(settings, expected):
    with pytest.raises(PolicyError) as caught:
        parse_policy(f"{HEAD}vaults:\n  {settings}\n", "p.yaml")
    assert expected in str(caught.value)
    assert "p.yaml:3" in str(caught.value)
    assert "hvs" not in str(caught.value)


def test_a_reference_to_an_unknown_source_is_an_error():
    text = WHOLE.replace("    example: {", "    another: {")
    with pytest.raises(PolicyError, match=r"access\[0\]\.secret: not a secret reference"):
        parse_policy(text, "p.yaml")


def test_beside_a_floor_only_the_administrator_says_where_vaults_are():
    with pytest.raises(PolicyError, match="vaults: an administrator's policy is in force"):
        parse_tightening(f"{HEAD}vaults: {{aws: {{region: x}}}}\n", "mine.yaml", STARTER)
