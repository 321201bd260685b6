"""The REST interface: who is answered, what an answer may hold, and where the settings are told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_save_overrides import OVERRIDES, refused
from tests.server.everywhere import everywhere
from tests.server.harness import JupyterServer, Reply, encodings
from tests.server.planted import in_output, in_source, line, make_secret

pytestmark = pytest.mark.e2e
API = "/qguard/api/v1"
FOREIGN = Path(__file__).parent.parent / "server" / "foreign"
ENDPOINTS: dict[str, tuple[str, Any]] = {
    "status": ("GET", None),
    "egress": ("GET", None),
    "policy": ("GET", None),
    f"findings/{'0' * 16}": ("GET", None),
    "overrides": ("POST", {"id": "0" * 16, "reason": "r"}),
    "scan": ("POST", {"type": "text", "content": "a"}),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from _server(JupyterServer(tmp_path_factory.mktemp("rest")))


@pytest.fixture(scope="module")
def denying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A server whose operator lets nobody use the interface."""
    options = {"ServerApp.authorizer_class": "nobody.NobodyAtTheGuard", "ServerApp.disable_check_xsrf": True}
    server = JupyterServer(tmp_path_factory.mktemp("denying"), guarded=True, options=options)
    server.environment["PYTHONPATH"] = str(FOREIGN)
    server.answers = False
    yield from _server(server)


def _server(server: JupyterServer) -> Iterator[JupyterServer]:
    try:
        yield server.start()
    finally:
        server.stop()


def ask(server: JupyterServer, name: str, **headers: str) -> Reply:
    method, body = ENDPOINTS[name]
    return server.request(method, f"{API}/{name}", body, headers=headers or None, token=not headers)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_whoever_has_the_token_is_answered(server: JupyterServer, name: str) -> None:
    assert ask(server, name).status in (200, 404, 409)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_whoever_has_not_is_not(server: JupyterServer, name: str) -> None:
    method, body = ENDPOINTS[name]
    assert server.request(method, f"{API}/{name}", body, token=False).status == 403
    assert ask(server, name, Authorization="token 0000").status == 403
    assert ask(server, name, Authorization=f"token {server.token[:-1]}").status == 403


@pytest.mark.parametrize("name", ENDPOINTS)
def test_whoever_is_signed_in_and_not_allowed_is_not(denying: JupyterServer, name: str) -> None:
    assert denying.request("GET", "/api/contents/").status == 200
    assert ask(denying, name).status == 403


@pytest.mark.parametrize("name", ["overrides", "scan"])
def test_a_page_of_elsewhere_cannot_act_with_the_cookie(server: JupyterServer, name: str) -> None:
    entered = server.request("GET", f"/api/status?token={server.token}", token=False)
    cookie = entered.headers["set-cookie"].split(";")[0]
    assert ask(server, name, Cookie=cookie).status == 403
    assert ask(server, name, Cookie=cookie, Origin="http://elsewhere.example").status in (403, 404)
    assert ask(server, "status", Cookie=cookie).status == 200


def test_no_answer_holds_a_secret(server: JupyterServer) -> None:
    document, secrets = everywhere(plain=False)
    identifiers = [refused(server, f"{place.split()[0]}.env", line(secret)) for place, secret in secrets.items()]
    identifiers.append(refused(server, "everywhere.ipynb", document))
    answers = [server.request("GET", f"{API}/findings/{identifier}") for identifier in identifiers]
    answers += [server.request("GET", f"{API}/{name}") for name in ("status", "policy")]
    answers.append(server.request("POST", f"{API}/scan", {"type": "notebook", "content": document}))
    answers += [server.save("everywhere.ipynb", document), server.save("o.ipynb", in_output(secrets["stream"]))]
    answers.append(server.request("POST", OVERRIDES, {"id": identifiers[-1], "reason": "seen by nobody"}))
    assert all(answer.status < 500 for answer in answers)
    for answer in answers:
        for place, secret in secrets.items():
            assert not any(needle in answer.body for needle in encodings(secret)), place
            parts = (secret[at : at + 5].encode() for at in range(len(secret) - 4))
            assert not any(part in answer.body for part in parts), place


def test_an_error_quotes_nothing_of_the_body(server: JupyterServer) -> None:
    secret = make_secret("body")
    for body in ({"type": secret, "content": secret}, {"type": "text", "content": secret, secret: secret}, [secret]):
        answer = server.request("POST", f"{API}/scan", body)
        assert answer.status == 400
        assert secret not in answer.body.decode() + server.log
    for path in (f"{API}/findings/{secret}", f"{API}/{secret}"):
        assert secret not in server.request("GET", path).body.decode()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_no_other_method_and_no_cache(server: JupyterServer, name: str) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert server.request(method, f"{API}/{name}", {}).status == 405
    answer = ask(server, name)
    assert answer.headers.get("cache-control") == "no-store" or answer.status != 200


def test_content_that_cannot_be_scanned_is_refused_with_the_reason(server: JupyterServer) -> None:
    def scan(content: Any, kind: str = "notebook") -> Reply:
        return server.request("POST", f"{API}/scan", {"type": kind, "content": content})

    assert scan({"cells": [1]}).status == 422
    assert scan({}).status == 422
    assert scan("{}").status == 422
    assert scan({}, "text").status == 422
    assert scan(7).status == 400
    assert scan(json.loads("[" * 200 + "]" * 200)).status == 400
    assert scan(in_source(make_secret("scanned"))).status == 200


def test_the_settings_are_told_by_help_all() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_qguard.server", "--help-all"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    for name in ("upload_dir", "cache_dir", "workers", "scan_timeout", "scan_limit", "move_collaboration_store"):
        assert f"--QGuardApp.{name}=" in done.stdout
