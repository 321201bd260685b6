"""OpenBao for real: the contract, signing in, and what a vault does when it is not well."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import hvac
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from benchmarks.certificate import make_certificate
from jupyter_qguard.policy.vaults import BaoVault, SignIn, VaultsPolicy
from jupyter_qguard.secret import SecretValue
from jupyter_qguard.vault import bao
from jupyter_qguard.vault.contract import LABELS, WritableContract, canary, everything_logged
from jupyter_qguard.vault.errors import (
    SecretMissingError,
    SecretUnusableError,
    SourceRefusedError,
    SourceUnavailableError,
)
from jupyter_qguard.vault.openbao import BaoSource
from jupyter_qguard.vault.source import SourceSettings
from tests.vault.bao_server import BaoServer
from tests.vault.ports import free_port

pytestmark = pytest.mark.e2e

READER = 'path "secret/*" { capabilities = ["read"] }'
WRITER = 'path "secret/*" { capabilities = ["create", "read", "update", "delete", "patch"] }'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = BaoServer(tmp_path_factory.mktemp("bao"))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def place(tmp_path):
    return tmp_path


def source(vault: BaoVault, environ: dict[str, str] | None = None, name: str = "openbao", **more) -> BaoSource:
    return BaoSource(SourceSettings(name, more.get("folder"), environ or {}, VaultsPolicy(**{name: vault})))


def by_approle(server, tmp_path, policy=READER, name="reader", *, wrapped=False, **settings) -> BaoVault:
    role, secret_id = server.approle(name, policy, **settings)
    file = tmp_path / "secret-id"
    file.write_text(secret_id + "\n")
    return BaoVault(address=server.address, method=SignIn.APPROLE, role=role, file=str(file), wrapped=wrapped)


class TestContract(WritableContract):
    @pytest.fixture(autouse=True)
    def real(self, server, tmp_path):
        self.server = server
        self.vault = by_approle(server, tmp_path, WRITER, "writer")
        self.made: list[BaoSource] = []
        yield
        for each in self.made:
            each.close()

    def make(self):
        self.made.append(source(self.vault))
        return self.made[-1]

    def make_unreachable(self):
        return source(BaoVault(address=f"http://127.0.0.1:{free_port()}", file=self.vault.file))

    def new_path(self):
        return f"secret/{super().new_path()}"

    def plant(self, path, fields, labels):
        self.server.plant(path.removeprefix("secret/"), fields, labels)

    def unplant(self, path):
        self.server.root.secrets.kv.v2.delete_latest_version_of_secret(
            path.removeprefix("secret/"), mount_point="secret"
        )

    def logged_secrets(self):
        tokens = [token for each in self.made if (token := held_token(each))]
        return (Path(self.vault.file).read_text().strip(), *tokens)


def held_token(made: BaoSource) -> str:
    signed_in = made._bao._signed_in
    return signed_in.client.token if signed_in else ""


def plant(server, **labels) -> tuple[str, str]:
    value, path = canary(), f"team/{canary()[-8:]}"
    server.plant(path, {"api_key": value}, {**LABELS, **labels})
    return f"secret/{path}", value


# Signing in


def test_the_token_of_a_role_is_renewed_and_at_the_end_revoked(server, tmp_path):
    path, value = plant(server)
    made = source(by_approle(server, tmp_path, token_ttl="60s"))
    assert made.renew() is None  # nobody has signed in yet
    assert made.read(path).fields["api_key"].reveal() == value
    token = held_token(made)
    assert 1 <= made.renew() <= 30
    assert server.client(token).auth.token.lookup_self()["data"]["policies"] == ["default", "reader"]
    made.close()
    with pytest.raises(hvac.exceptions.Forbidden):
        server.client(token).auth.token.lookup_self()
    with pytest.raises(SourceUnavailableError, match="closed"):
        made.read(path)


def test_a_token_that_has_ended_is_replaced_by_a_new_one(server, tmp_path):
    path, value = plant(server)
    made = source(by_approle(server, tmp_path))
    made.read(path)
    first = held_token(made)
    server.root.auth.token.revoke(first)
    assert made.read(path).fields["api_key"].reveal() == value
    assert held_token(made) != first
    server.root.auth.token.revoke(held_token(made))
    assert made.renew() is None
    assert made.read(path).fields["api_key"].reveal() == value
    made.close()


def test_what_the_policy_there_forbids_is_refused_with_one_sign_in(server, tmp_path):
    path, value = plant(server)
    made = source(by_approle(server, tmp_path, 'path "other/*" { capabilities = ["read"] }', "nobody"))
    with pytest.raises(SourceRefusedError, match="refuses openbao://secret/team") as caught:
        made.read(path)
    token = held_token(made)
    with pytest.raises(SourceRefusedError):
        made.read(path)
    assert held_token(made) == token
    assert value not in str(caught.value)
    with pytest.raises(SourceRefusedError):
        made.write(path, "api_key", SecretValue(canary()), LABELS)
    made.close()


def test_a_secret_id_that_is_spent_is_refused(server, tmp_path):
    path, _ = plant(server)
    vault = by_approle(server, tmp_path, name="once", secret_id_num_uses=1)
    first = source(vault)
    first.read(path)
    with pytest.raises(SourceRefusedError, match=r"does not let this machine sign in by approle.*secret-id"):
        source(vault).read(path)
    first.close()


def test_a_wrapped_secret_id_opens_once_and_a_second_time_is_an_alarm(server, tmp_path):
    path, value = plant(server)
    vault = by_approle(server, tmp_path, name="wrapped", wrapped=True)
    wrapping = server.root.auth.approle.generate_secret_id("wrapped", wrap_ttl="60s")["wrap_info"]["token"]
    (tmp_path / "secret-id").write_text(wrapping)
    made = source(vault)
    assert made.read(path).fields["api_key"].reveal() == value
    with pytest.raises(SourceRefusedError, match="somebody else has the secret id"):
        source(vault).read(path)
    made.close()


def signed_jwt(key: ec.EllipticCurvePrivateKey, claims: dict[str, object]) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = b'{"alg":"ES256","typ":"JWT"}'
    body = f"{part(head)}.{part(json.dumps(claims).encode())}"
    first, second = decode_dss_signature(key.sign(body.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{body}.{part(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"


def enable(server, method: str) -> None:
    if f"{method}/" not in server.root.sys.list_auth_methods():
        server.root.sys.enable_auth_method(method)


def test_a_machine_signs_in_by_jwt_and_by_nobody_elses(server, tmp_path):
    path, value = plant(server)
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    enable(server, "jwt")
    server.root.sys.create_or_update_policy("reader", READER)
    server.root.write_data("auth/jwt/config", data={"jwt_validation_pubkeys": [public.decode()]})
    server.root.write_data(
        "auth/jwt/role/hub",
        data={"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao"], "token_policies": ["reader"]},
    )
    claims = {"sub": "ada", "aud": "bao", "iat": int(time.time()), "exp": int(time.time()) + 60}
    file = tmp_path / "jwt"
    file.write_text(signed_jwt(key, claims))
    vault = BaoVault(address=server.address, method=SignIn.JWT, role="hub", file=str(file))
    made = source(vault)
    assert made.read(path).fields["api_key"].reveal() == value
    made.close()
    for forged in (signed_jwt(other, claims), signed_jwt(key, {**claims, "aud": "else"}), "no jwt"):
        file.write_text(forged)
        with pytest.raises(SourceRefusedError, match="sign in by jwt") as caught:
            source(vault).read(path)
        assert forged not in str(caught.value)


class TokenReview(BaseHTTPRequestHandler):
    """A stand-in for the one call of a cluster's API that OpenBao makes: is this a token of a service account."""

    known = "none"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["spec"]["token"]
        status = {"authenticated": False}
        if asked == self.known:
            user = {"username": "system:serviceaccount:hub:jupyter", "uid": "u-1", "groups": []}
            status = {"authenticated": True, "user": user}
        answer = json.dumps(
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
        ).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def cluster():
    listening = HTTPServer(("127.0.0.1", 0), TokenReview)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_a_pod_signs_in_by_its_service_account(server, tmp_path, cluster):
    path, value = plant(server)
    account = {
        "namespace": "hub",
        "serviceaccount": {"name": "jupyter", "uid": "u-1"},
        "pod": {"name": "p", "uid": "p-1"},
    }
    claims = {"iss": "cluster", "sub": "system:serviceaccount:hub:jupyter", "kubernetes.io": account}
    claims |= {"iat": int(time.time()) - 60, "nbf": int(time.time()) - 60, "exp": int(time.time()) + 600}
    TokenReview.known = signed_jwt(ec.generate_private_key(ec.SECP256R1()), claims)
    enable(server, "kubernetes")
    server.root.sys.create_or_update_policy("reader", READER)
    server.root.write_data(
        "auth/kubernetes/config",
        data={
            "kubernetes_host": cluster,
            "kubernetes_ca_cert": make_certificate(tmp_path, "cluster.example")[0].read_text(),
            "token_reviewer_jwt": "reviewer",
            "disable_local_ca_jwt": True,
        },
    )
    server.root.write_data(
        "auth/kubernetes/role/hub",
        data={
            "bound_service_account_names": "jupyter",
            "bound_service_account_namespaces": "hub",
            "token_policies": ["reader"],
        },
    )
    file = tmp_path / "token"
    file.write_text(TokenReview.known)
    vault = BaoVault(address=server.address, method=SignIn.KUBERNETES, role="hub", file=str(file))
    made = source(vault)
    assert made.read(path).fields["api_key"].reveal() == value
    made.close()
    file.write_text(signed_jwt(ec.generate_private_key(ec.SECP256R1()), claims))
    with pytest.raises(SourceRefusedError, match="sign in by kubernetes"):
        source(vault).read(path)


def test_a_token_of_a_person_is_used_and_left_alone(server, tmp_path):
    path, value = plant(server)
    server.root.sys.create_or_update_policy("reader", READER)
    token = server.root.auth.token.create(policies=["reader"], ttl="5m")["auth"]["client_token"]
    (tmp_path / ".vault-token").write_text(token)
    ways = (
        ({"BAO_ADDR": server.address, "BAO_TOKEN": token}, BaoVault(), "openbao"),
        ({"VAULT_ADDR": server.address, "VAULT_TOKEN": token}, BaoVault(), "vault"),
        ({"VAULT_ADDR": server.address, "HOME": str(tmp_path)}, BaoVault(), "openbao"),
        ({}, BaoVault(address=server.address, file=str(tmp_path / ".vault-token")), "vault"),
    )
    for environ, vault, name in ways:
        made = source(vault, environ, name)
        assert made.viable() == ""
        assert made.read(path).fields["api_key"].reveal() == value
        assert made.renew() > 1
        made.close()
    assert server.client(token).auth.token.lookup_self()
    server.root.auth.token.revoke(token)
    for environ, vault, name in ways:
        with pytest.raises(SourceRefusedError, match="or it has ended: sign in again") as caught:
            source(vault, environ, name).read(path)
        assert token not in str(caught.value)


def test_without_address_or_token_it_says_what_to_set(server, tmp_path):
    assert "vaults.openbao.address" in source(BaoVault()).viable()
    assert "VAULT_ADDR" in source(BaoVault(), {"BAO_ADDR": server.address}, "vault").viable()
    assert "without TLS" in source(BaoVault(), {"BAO_ADDR": "http://bao.example.org"}).viable()
    with pytest.raises(SourceRefusedError, match="bao login"):
        source(BaoVault(address=server.address), {"HOME": str(tmp_path)}).read("secret/a")
    with pytest.raises(SourceUnavailableError, match="No such file"):
        source(BaoVault(address=server.address, file=str(tmp_path / "gone"))).read("secret/a")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SourceUnavailableError, match="holds nothing"):
        source(BaoVault(address=server.address, file=str(tmp_path / "empty"))).read("secret/a")


def test_a_namespace_is_kept_to(server, tmp_path):
    server.root.sys.create_namespace("prod")
    inside = server.client(server.token, "prod")
    inside.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    value = canary()
    server.plant("only-here", {"api_key": value}, LABELS, namespace="prod")
    (tmp_path / "token").write_text(server.token)
    there = source(BaoVault(address=server.address, namespace="prod", file=str(tmp_path / "token")))
    assert there.read("secret/only-here").fields["api_key"].reveal() == value
    by_variable = source(BaoVault(address=server.address, file=str(tmp_path / "token")), {"BAO_NAMESPACE": "prod"})
    assert by_variable.read("secret/only-here").fields["api_key"].reveal() == value
    with pytest.raises(SecretMissingError):
        source(BaoVault(address=server.address, file=str(tmp_path / "token"))).read("secret/only-here")


# What lies there


def test_values_that_are_no_text_and_labels_of_others_stay(server, tmp_path):
    value = canary()
    server.plant("mixed", {"api_key": value, "port": 8080, "list": [value], "empty": ""}, {**LABELS, "team": "q"})
    made = source(by_approle(server, tmp_path, WRITER, "writer"))
    assert set(made.read("secret/mixed").fields) == {"api_key"}
    made.write("secret/mixed", "api_key", SecretValue(canary()), {**LABELS, "owner": "new"})
    found = server.root.secrets.kv.v2.read_secret_version("mixed", mount_point="secret", raise_on_deleted_version=True)
    assert found["data"]["data"]["port"] == 8080
    assert found["data"]["metadata"]["custom_metadata"] == {**LABELS, "team": "q", "owner": "new"}
    made.close()


def test_the_older_engine_and_a_mount_that_is_not_there_are_told(server, tmp_path):
    server.root.sys.enable_secrets_engine("kv", path="old", options={"version": "1"})
    server.root.write_data("old/ibm", data={"api_key": canary()})
    (tmp_path / "token").write_text(server.token)
    made = source(BaoVault(address=server.address, file=str(tmp_path / "token")))
    for path in ("old/ibm", "nowhere/ibm"):
        with pytest.raises((SecretMissingError, SourceRefusedError, SecretUnusableError), match="mount"):
            made.read(path)


def test_a_deleted_secret_can_be_written_again(server, tmp_path):
    made, value = source(by_approle(server, tmp_path, WRITER, "writer")), canary()
    made.write("secret/again", "api_key", SecretValue(canary()), LABELS)
    made.remove("secret/again")
    assert made.write("secret/again", "api_key", SecretValue(value), LABELS) == "2"
    assert made.read("secret/again").fields["api_key"].reveal() == value
    made.close()


def test_two_who_write_at_once_lose_nothing(server, tmp_path):
    vault = by_approle(server, tmp_path, WRITER, "writer")
    sources = [source(vault) for _ in range(3)]
    values = {f"field{number}": canary() for number in range(3)}

    def write(made, name):
        made.write("secret/together", name, SecretValue(values[name]), LABELS)

    threads = [threading.Thread(target=write, args=each) for each in zip(sources, values, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sources[0].read("secret/together").fields
    assert {name: held.reveal() for name, held in found.items()} == values
    for made in sources:
        made.close()


def test_reading_leaves_no_value_in_its_audit_log(server, tmp_path):
    path, value = plant(server)
    made = source(by_approle(server, tmp_path))
    made.read(path)
    token = held_token(made)
    made.close()
    assert path.replace("secret/", "secret/data/") in server.audit()
    assert value not in server.audit()
    assert token not in server.audit()


# A vault that is not well


def test_a_sealed_vault_is_called_that(tmp_path):
    server = BaoServer(tmp_path)
    try:
        path, _ = plant(server)
        (tmp_path / "token").write_text(server.token)
        made = source(BaoVault(address=server.address, file=str(tmp_path / "token")))
        made.read(path)
        server.root.sys.seal()
        with pytest.raises(SourceUnavailableError, match="is sealed: whoever runs it must unseal it"):
            made.read(path)
        with pytest.raises(SourceUnavailableError, match="is sealed"):
            source(BaoVault(address=server.address, file=str(tmp_path / "token"))).read(path)
        server.stop()
        with pytest.raises(SourceUnavailableError, match="cannot be reached"):
            made.read(path)
        made.close()
    finally:
        server.stop()


def test_tls_is_checked_against_the_named_authority(tmp_path):
    server = BaoServer(tmp_path, tls=True)
    try:
        path, value = plant(server)
        (tmp_path / "token").write_text(server.token)
        ways = (
            (BaoVault(address=server.address, ca_bundle=str(server.ca), file=str(tmp_path / "token")), {}),
            (BaoVault(address=server.address, file=str(tmp_path / "token")), {"BAO_CACERT": str(server.ca)}),
        )
        for vault, environ in ways:
            assert source(vault, environ).read(path).fields["api_key"].reveal() == value
        for environ in ({}, {"VAULT_SKIP_VERIFY": "true", "BAO_SKIP_VERIFY": "true"}):
            with pytest.raises(SourceUnavailableError, match=r"certificate is not trusted here.*ca_bundle"):
                source(BaoVault(address=server.address, file=str(tmp_path / "token")), environ).read(path)
        with pytest.raises(SourceUnavailableError, match="ca_bundle"):
            source(BaoVault(address=server.address, ca_bundle="/nonexistent", file=str(tmp_path / "token"))).read(path)
    finally:
        server.stop()


@contextlib.contextmanager
def answering(answer: bytes | None):
    """The port of a server that gives every connection the same *answer*, or none for as long as it is there."""
    with contextlib.ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                stack.enter_context(connection)
                if answer is not None:
                    with contextlib.suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(answer)
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # which ends the accepting, as closing would not
            thread.join()


def http(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join([*lines, "Connection: close", "", ""]) + body).encode()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (None, SourceUnavailableError, "did not answer"),
        (b"", SourceUnavailableError, "cannot be reached"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", SourceUnavailableError, "cannot be reached"),
        (
            http("307 Temporary Redirect", "", "Location: http://127.0.0.1:9/v1"),
            SourceUnavailableError,
            "another server",
        ),
        (http("200 OK", "<html>sign in</html>"), SecretUnusableError, "something else"),
        (http("200 OK", '{"data": {"data": ["SECRET"], "metadata": {}}}'), SecretUnusableError, "something else"),
        (http("200 OK", '{"data": {"data": {"k": "SECRET"}}}'), SecretUnusableError, "something else"),
        (http("429 Too Many Requests", '{"errors": []}'), SourceUnavailableError, "too often"),
        (http("500 Internal Server Error", '{"errors": ["x"]}'), SourceUnavailableError, "has failed"),
        (http("503 Service Unavailable", '{"errors": ["standby"]}'), SourceUnavailableError, "not in service"),
    ],
)
def test_every_strange_answer_has_its_reason(answer, error, words, tmp_path, monkeypatch):
    monkeypatch.setattr(bao, "PATIENCE", 0.3)
    (tmp_path / "token").write_text("hvs.strange")
    with answering(answer) as port:
        made = source(BaoVault(address=f"http://127.0.0.1:{port}", file=str(tmp_path / "token")))
        monkeypatch.setattr(
            made._bao, "_new_token", lambda: bao._SignedIn(made._bao._client(), own=False, renewable=False)
        )
        with everything_logged() as heard, pytest.raises(error, match=words) as caught:
            made.read("secret/a")
    assert "SECRET" not in str(caught.value) + heard.getvalue()
    assert "hvs.strange" not in str(caught.value) + heard.getvalue()


# The trap of one identity with several roles


def test_a_role_for_dev_that_may_read_prod_gives_nothing_for_dev(server, tmp_path):
    """OpenBao lets a dev token read prod where a policy is made from what the last sign-in claimed; the guard does not."""
    enable(server, "jwt")
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    accessor = server.root.sys.list_auth_methods()["jwt/"]["accessor"]
    server.root.sys.create_or_update_policy(
        "scoped",
        f'path "secret/data/{{{{identity.entity.aliases.{accessor}.metadata.scope}}}}/*" {{ capabilities = ["read"] }}',
    )
    server.root.write_data("auth/jwt/config", data={"jwt_validation_pubkeys": [public.decode()]})
    server.root.write_data(
        "auth/jwt/role/scoped",
        data={
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao"],
            "claim_mappings": {"scope": "scope"}, "token_policies": ["scoped"],
        },
    )  # fmt: skip
    server.plant("prod/ibm", {"api_key": canary()}, {**LABELS, "environment": "prod"})

    def machine(scope):
        file = tmp_path / scope
        claims = {"sub": "ada", "aud": "bao", "scope": scope, "iat": int(time.time()), "exp": int(time.time()) + 60}
        file.write_text(signed_jwt(key, claims))
        return source(BaoVault(address=server.address, method=SignIn.JWT, role="scoped", file=str(file)))

    dev = machine("dev")
    with pytest.raises(SourceRefusedError):
        dev.read("secret/prod/ibm")
    prod = machine("prod")
    prod.read("secret/prod/ibm")
    assert dev.read("secret/prod/ibm").labels["environment"] == "prod"  # the trap: the same token, now let in
    dev.close()
    prod.close()
