"""Secrets Manager and STS against moto's server, a stand-in: the contract, refusals, and sessions of minutes."""

from __future__ import annotations

import datetime as dt
import json

import boto3
import pytest
from botocore.stub import Stubber

from jupyter_qguard.policy.vaults import AwsVault, VaultsPolicy
from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault import amazon
from jupyter_qguard.vault.aws import AwsSource
from jupyter_qguard.vault.contract import LABELS, WritableContract, canary, everything_logged
from jupyter_qguard.vault.errors import (
    SecretMissingError,
    SecretUnusableError,
    SourceRefusedError,
    SourceUnavailableError,
)
from jupyter_qguard.vault.source import SourceSettings
from jupyter_qguard.vault.sts import SessionRequest, aws_name, start_session
from tests.vault.moto_server import MotoServer
from tests.vault.ports import free_port

pytestmark = pytest.mark.e2e

KEY, SECRET = "AKIATESTTESTTESTTEST", "the-machines-own-secret-access-key"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = MotoServer(tmp_path_factory.mktemp("moto"))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


def vault(server, **settings) -> AwsVault:
    return AwsVault(**{"region": "eu-central-1", "endpoint": server.address, **settings})


def source(settings: AwsVault) -> AwsSource:
    return AwsSource(SourceSettings("aws", None, {}, VaultsPolicy(aws=settings)))


def direct(server):
    return boto3.client("secretsmanager", region_name="eu-central-1", endpoint_url=server.address)


class TestContract(WritableContract):
    @pytest.fixture(autouse=True)
    def stand_in(self, server):
        self.server = server

    def make(self):
        return source(vault(self.server))

    def make_unreachable(self):
        return source(AwsVault(region="eu-central-1", endpoint=f"http://127.0.0.1:{free_port()}"))

    def plant(self, path, fields, labels):
        client, text = direct(self.server), json.dumps(fields)
        tags = [{"Key": name, "Value": value} for name, value in labels.items()]
        try:
            client.create_secret(Name=path, SecretString=text, Tags=tags)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=path, SecretString=text)

    def unplant(self, path):
        direct(self.server).delete_secret(SecretId=path)

    def logged_secrets(self):
        return (SECRET,)


def test_one_text_is_one_value_and_a_binary_one_is_none(server):
    value, client, made = canary(), direct(server), source(vault(server))
    client.create_secret(Name="one", SecretString=value)
    assert {name: held.reveal() for name, held in made.read("one").fields.items()} == {"": value}
    with pytest.raises(SecretUnusableError, match="not both"):
        made.write("one", "api_key", SecretValue(canary()), LABELS)
    client.create_secret(Name="binary", SecretBinary=b"\x00\x01")
    with pytest.raises(SecretUnusableError, match="binary"):
        made.read("binary")
    client.create_secret(
        Name="mixed", SecretString=json.dumps({"api_key": value, "port": 1, "list": [value], "no": ""})
    )
    assert set(made.read("mixed").fields) == {"api_key"}


def test_tags_of_others_stay(server):
    direct(server).create_secret(
        Name="tagged", SecretString="{}", Tags=[{"Key": "team", "Value": "q"}, {"Key": "owner", "Value": "old"}]
    )
    made = source(vault(server))
    made.write("tagged", "api_key", SecretValue(canary()), LABELS)
    assert made.read("tagged").labels == {**LABELS, "team": "q"}


def test_without_region_credentials_or_profile_it_says_so(server, monkeypatch):
    with pytest.raises(SourceUnavailableError, match=r"vaults\.aws\.region"):
        source(AwsVault()).read("a")
    with pytest.raises(SourceUnavailableError, match=r"vaults\.aws\.profile"):
        source(vault(server, profile="nobody")).read("a")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceRefusedError, match="nothing signs this machine in"):
        source(vault(server)).read("a")


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("AccessDeniedException", "User: SECRET is not authorized", SourceRefusedError),
        ("DecryptionFailure", "SECRET", SourceRefusedError),
        ("ExpiredTokenException", "SECRET", SourceRefusedError),
        ("UnrecognizedClientException", "SECRET", SourceRefusedError),
        ("ResourceNotFoundException", "SECRET", SecretMissingError),
        ("InvalidRequestException", "marked for deletion SECRET", SecretMissingError),
        ("InvalidParameterException", "SECRET", SecretUnusableError),
        ("ThrottlingException", "SECRET", SourceUnavailableError),
        ("InternalServiceError", "SECRET", SourceUnavailableError),
    ],
)
def test_every_refusal_has_its_kind_and_its_text_is_not_repeated(server, code, message, error):
    """By botocore's own stubber: moto refuses nothing."""
    made = source(vault(server))
    with Stubber(made._client()) as stubber:
        for _ in range(2):
            stubber.add_client_error("get_secret_value", code, message)
        with pytest.raises(error) as caught:
            made.read("team/ibm")
    assert "SECRET" not in str(caught.value)
    assert code in str(caught.value) or error in (SecretMissingError, SourceUnavailableError)


def test_an_answer_of_another_shape_is_told(server):
    made = source(vault(server))
    made._client().meta.events.register("after-call.secretsmanager.GetSecretValue", lambda parsed, **_: parsed.clear())
    with pytest.raises((SecretUnusableError, SecretMissingError)):
        made.read("nothing")
    direct(server).create_secret(Name="shape", SecretString="{}")
    with pytest.raises(SecretUnusableError, match="something else"):
        made.read("shape")


def test_a_slow_answer_is_not_waited_for(server, monkeypatch):
    import socket

    monkeypatch.setattr(amazon, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = source(vault(server, endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with pytest.raises(SourceUnavailableError, match="did not answer"):
            made.read("a")


# Sessions

ROLE = "arn:aws:iam::123456789012:role/braket"
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "braket:*", "Resource": "*"}]}
)
REQUEST = SessionRequest(role=ROLE, person="ada@example.org", name="lease 7/2", policy=POLICY)


def test_a_session_has_keys_of_its_own_that_end(server):
    found = start_session(REQUEST, vault(server))
    assert found.fields.keys() == {"access_key_id", "secret_access_key", "session_token"}
    left = found.expires - dt.datetime.now(dt.timezone.utc)
    assert dt.timedelta(minutes=13) < left <= dt.timedelta(minutes=16)
    keys = {f"aws_{name}": value.reveal() for name, value in found.fields.items()}
    who = boto3.client("sts", region_name="eu-central-1", endpoint_url=server.address, **keys).get_caller_identity()
    assert who["Arn"].endswith("assumed-role/braket/lease-7-2")


def test_a_session_asked_for_with_stored_keys_is_signed_with_them(server, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    keys = {"access_key_id": SecretValue(KEY), "secret_access_key": SecretValue(SECRET)}
    assert start_session(REQUEST, vault(server), keys).fields
    with pytest.raises(SourceRefusedError):
        start_session(REQUEST, vault(server))


def test_what_is_asked_for_says_who_and_limits_the_session(server):
    """What goes over the wire, as botocore sends it."""
    sent = {}
    real = amazon.make_client

    def watching(*arguments):
        client = real(*arguments)
        client.meta.events.register("provide-client-params.sts.AssumeRole", lambda params, **_: sent.update(params))
        return client

    from jupyter_qguard.vault import sts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sts, "make_client", watching)
        start_session(REQUEST, vault(server))
    assert sent == {
        "RoleArn": ROLE,
        "RoleSessionName": "lease-7-2",
        "SourceIdentity": "ada@example.org",
        "Policy": POLICY,
        "DurationSeconds": 900,
    }


def test_neither_keys_nor_session_are_logged(server):
    keys = {"access_key_id": SecretValue(KEY), "secret_access_key": SecretValue(SECRET)}
    with everything_logged() as heard:
        found = start_session(REQUEST, vault(server), keys)
        print(repr(found), repr(REQUEST))
    for value in (SECRET, found.fields["secret_access_key"].reveal(), found.fields["session_token"].reveal()):
        assert value not in heard.getvalue()


def test_without_its_own_quiet_the_library_logs_secrets_whole(server, monkeypatch):
    """That the tests of silence can fail: what botocore says at DEBUG when nobody stops it."""
    value = canary()
    direct(server).create_secret(Name="loud", SecretString=json.dumps({"api_key": value}))
    monkeypatch.setattr(amazon, "quiet_libraries", lambda: None)
    import logging

    for name in ("botocore", "urllib3", "boto3"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    with everything_logged() as heard:
        source(vault(server)).read("loud")
    assert value in heard.getvalue()


@pytest.mark.parametrize(
    ("text", "name"), [("ada", "ada"), ("ada lovelace/über", "ada-lovelace--ber"), ("", "--"), ("a" * 80, "a" * 64)]
)
def test_names_are_such_as_aws_takes(text, name):
    assert aws_name(text) == name
